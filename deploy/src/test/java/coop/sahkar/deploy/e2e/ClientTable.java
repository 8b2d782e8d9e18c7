package coop.sahkar.deploy.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What clients got done, as the table in {@code CLIENTS.md}. Where the clients from npm could not
 * be tried, their columns are those that stand there.
 */
final class ClientTable {
    private static final String BEGIN = "<!-- table -->\n";
    private static final String END = "<!-- end -->\n";

    private static final String FROM_NPM = "(npm)";

    private final Path page;
    private final Set<String> clients = new LinkedHashSet<>();
    private final Map<String, Set<String>> rows = new TreeMap<>();

    /**
     * @param clients those that were tried
     */
    ClientTable(Path page, Collection<String> clients) throws IOException {
        this.page = page;
        this.clients.addAll(clients);
        if (clients.stream().noneMatch(client -> client.endsWith(FROM_NPM))) {
            keepNpm();
        }
    }

    private void keepNpm() throws IOException {
        List<String> lines = parts().get(1).lines().filter(line -> line.startsWith("|")).toList();
        List<String> head = lines.isEmpty() ? List.of() : cells(lines.getFirst());
        for (int column = 2; column < head.size(); column++) {
            if (!head.get(column).endsWith(FROM_NPM)) {
                continue;
            }
            clients.add(head.get(column));
            for (String line : lines.subList(2, lines.size())) {
                List<String> cells = cells(line);
                if (cells.get(column).equals("yes")) {
                    row("| %s | %s |".formatted(cells.get(0), cells.get(1))).add(head.get(column));
                }
            }
        }
    }

    private static List<String> cells(String line) {
        return Arrays.stream(line.substring(1).split("\\|", -1)).map(String::strip).toList();
    }

    private Set<String> row(String begin) {
        return rows.computeIfAbsent(begin, _ -> new TreeSet<>());
    }

    void add(ClientCase done) {
        for (String shown : done.shows()) {
            row("| `%s` | %s |".formatted(done.endpoint(), shown)).add(done.client());
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

    /** Writes the table into the page, in the place of the one that is there. */
    void write() throws IOException {
        List<String> parts = parts();
        Files.writeString(page, parts.get(0) + BEGIN + text() + END + parts.get(2));
    }

    /** Whether the page has this table. */
    boolean stands() throws IOException {
        return parts().get(1).equals(text());
    }

    private List<String> parts() throws IOException {
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
