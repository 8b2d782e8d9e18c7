package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.CallReader;
import coop.sahkar.proto.CallRules;
import coop.sahkar.proto.CalledFunctions;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.Started;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** Answers as OpenAI's API writes them; streams are server-sent events. */
final class OpenAiFormat implements AnswerFormat {
    private static final HttpData PING = HttpData.ofUtf8(": ping\n\n");
    private static final HttpData DONE = HttpData.ofUtf8("data: [DONE]\n\n");
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.UTF_8);
    private static final byte[] END = "\n\n".getBytes(StandardCharsets.UTF_8);

    private final int[] offsets;
    private final @Nullable CallRules rules;
    private final @Nullable CallReader[] readers;
    private AnswerShape shape;

    /**
     * @param rules what is taken for a call of a function; null if nothing is
     */
    OpenAiFormat(AnswerShape shape, int choices, @Nullable CallRules rules) {
        this.shape = shape;
        this.offsets = new int[choices];
        this.rules = rules;
        this.readers = new CallReader[choices];
    }

    @Override
    public void started(Started started) {
        shape = shape.by(started.getModelId());
        for (int i = 0; rules != null && i < readers.length; i++) {
            readers[i] = readers[i] == null ? rules.reader(started) : readers[i];
        }
    }

    @Override
    public MediaType streamType() {
        return MediaType.EVENT_STREAM;
    }

    @Override
    public HttpData ping() {
        return PING;
    }

    @Override
    public List<HttpData> opening(int choice) {
        return shape.chat() ? List.of(event(shape.roleChunk(choice))) : List.of();
    }

    @Override
    public List<HttpData> piece(int choice, Delta delta) {
        if (delta.getText().isEmpty() && delta.getChancesCount() == 0) {
            return List.of();
        }
        ObjectNode logprobs = Logprobs.of(shape.chat(), delta.getChancesList(), offsets[choice]);
        offsets[choice] += Logprobs.chars(delta.getChancesList());
        CallReader reader = readers[choice];
        if (reader == null) {
            return List.of(event(shape.textChunk(choice, delta.getText(), logprobs)));
        }
        List<ObjectNode> chunks = chunks(choice, reader.read(delta.getText()));
        if (logprobs != null) {
            chunks.addFirst(shape.textChunk(choice, "", logprobs));
        }
        return chunks.stream().map(OpenAiFormat::event).toList();
    }

    private List<ObjectNode> chunks(int choice, List<CallReader.Part> parts) {
        List<ObjectNode> chunks = new ArrayList<>();
        for (CallReader.Part part : parts) {
            switch (part) {
                case CallReader.Part.Text(String text) ->
                        chunks.add(shape.textChunk(choice, text, null));
                case CallReader.Part.Begun(int number, String name) ->
                        chunks.add(shape.callChunk(choice, number, name));
                case CallReader.Part.Arguments(int number, String more) ->
                        chunks.add(shape.argumentsChunk(choice, number, more));
                case CallReader.Part.Ended _ -> {}
            }
        }
        return chunks;
    }

    @Override
    public List<HttpData> ended(int choice, Finished finished) {
        CallReader reader = readers[choice];
        List<ObjectNode> chunks = reader == null ? new ArrayList<>() : chunks(choice, reader.end());
        chunks.add(shape.finishChunk(choice, finished, reader != null && reader.calls() > 0));
        return chunks.stream().map(OpenAiFormat::event).toList();
    }

    @Override
    public List<HttpData> closing(Finished total) {
        return shape.includeUsage() ? List.of(event(shape.usageChunk(total)), DONE) : List.of(DONE);
    }

    @Override
    public HttpData broken(Problem problem) {
        return event(OpenAiErrors.json(problem));
    }

    @Override
    public HttpData whole(List<Choice> choices, Finished total) {
        List<ObjectNode> parts = new ArrayList<>();
        for (int i = 0; i < choices.size(); i++) {
            Choice choice = choices.get(i);
            var chances =
                    choice.deltas().stream().flatMap(d -> d.getChancesList().stream()).toList();
            ObjectNode logprobs = Logprobs.of(shape.chat(), chances, 0);
            parts.add(
                    shape.wholeChoice(
                            i, read(readers[i], choice.text()), choice.finished(), logprobs));
        }
        return HttpData.wrap(Json.bytes(shape.whole(parts, total)));
    }

    private static CalledFunctions read(@Nullable CallReader reader, String text) {
        CalledFunctions answer = new CalledFunctions();
        if (reader == null) {
            answer.add(new CallReader.Part.Text(text));
        } else {
            reader.read(text).forEach(answer::add);
            reader.end().forEach(answer::add);
        }
        return answer;
    }

    @Override
    public HttpResponse refused(Problem problem) {
        return OpenAiErrors.response(problem);
    }

    private static HttpData event(ObjectNode json) {
        byte[] body = Json.bytes(json);
        byte[] frame = new byte[DATA.length + body.length + END.length];
        System.arraycopy(DATA, 0, frame, 0, DATA.length);
        System.arraycopy(body, 0, frame, DATA.length, body.length);
        System.arraycopy(END, 0, frame, DATA.length + body.length, END.length);
        return HttpData.wrap(frame);
    }
}
