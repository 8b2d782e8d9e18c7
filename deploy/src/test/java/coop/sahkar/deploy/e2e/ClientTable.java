package coop.sahkar.deploy.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What clients got done, as the table in {@code CLIENTS.md}. */
final class ClientTable {
    private static final String BEGIN = "<!-- table -->\n";
    private static final String END = "<!-- end -->\n";

    private final Set<String> clients = new LinkedHashSet<>();
    private final Map<String, Set<String>> rows = new TreeMap<>();

    ClientTable(Collection<String> clients) {
        this.clients.addAll(clients);
    }

    void add(ClientCase done) {
        for (String shown : done.shows()) {
            rows.computeIfAbsent(
                            "| `%s` | %s |".formatted(done.endpoint(), shown), _ -> new TreeSet<>())
                    .add(done.client());
        }
    }

    private String text() {
        StringBuilder text = new StringBuilder("\n| endpoint | what |");
        clients.forEach(client -> text.append(' ').append(client).append(" |"));
        text.append("\n|---|---|").append("---|".repeat(clients.size())).append('\n');
        rows.forEach((row, by) -> {
            text.append(row);
            clients.forEach(client -> text.append(by.contains(client) ? " yes |" : " |"));
            text.append('\n');
        });
        return text.append('\n').toString();
    }

    /** Writes the table into a page, in the place of the one that is there. */
    void writeInto(Path page) throws IOException {
        List<String> parts = parts(page);
        Files.writeString(page, parts.get(0) + BEGIN + text() + END + parts.get(2));
    }

    /** Whether a page has this table. */
    boolean standsIn(Path page) throws IOException {
        return parts(page).get(1).equals(text());
    }

    private static List<String> parts(Path page) throws IOException {
        String text = Files.readString(page);
        int begin = text.indexOf(BEGIN);
        int end = text.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IOException(page + " has no place for the table");
        }
        return List.of(
                text.substring(0, begin),
                text.substring(begin + BEGIN.length(), end),
                text.substring(end + END.length()));
    }
}
