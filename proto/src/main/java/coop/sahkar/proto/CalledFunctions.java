package coop.sahkar.proto;

import java.util.ArrayList;
import java.util.List;

/** Gathers the parts of an answer: its text and the calls in it. */
public final class CalledFunctions {
    private final StringBuilder text = new StringBuilder();
    private final List<String> names = new ArrayList<>();
    private final List<StringBuilder> arguments = new ArrayList<>();

    /** One more part. */
    public void add(CallReader.Part part) {
        switch (part) {
            case CallReader.Part.Text(String more) -> text.append(more);
            case CallReader.Part.Begun(_, String name) -> {
                names.add(name);
                arguments.add(new StringBuilder());
            }
            case CallReader.Part.Arguments(int index, String more) ->
                    arguments.get(index).append(more);
            case CallReader.Part.Ended _ -> {}
        }
    }

    public String text() {
        return text.toString();
    }

    public int count() {
        return names.size();
    }

    public String name(int index) {
        return names.get(index);
    }

    public String arguments(int index) {
        return arguments.get(index).toString();
    }
}
