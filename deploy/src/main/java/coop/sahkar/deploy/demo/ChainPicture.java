package coop.sahkar.deploy.demo;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.proto.Span;
import java.util.List;

/** The chain of workers, drawn with letters. */
final class ChainPicture {
    private static final String ARROW = " --> ";

    /**
     * One worker of the picture.
     *
     * @param id its id
     * @param pid its process
     * @param span the blocks it serves
     */
    record Link(String id, long pid, Span span) {}

    private ChainPicture() {}

    /** A box for each worker, in the order of their blocks, and the way back for the tokens. */
    static String draw(List<Link> chain) {
        StringBuilder[] lines = new StringBuilder[5];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = new StringBuilder("  ");
        }
        for (int i = 0; i < chain.size(); i++) {
            Link link = chain.get(i);
            String blocks = "blocks " + Amounts.blocks(link.span());
            String pid = "pid " + link.pid();
            int inner = Math.max(link.id().length(), Math.max(blocks.length(), pid.length()));
            String edge = "+" + "-".repeat(inner + 2) + "+";
            String gap = i == 0 ? "" : " ".repeat(ARROW.length());
            lines[0].append(gap).append(edge);
            lines[1].append(gap).append(cell(link.id(), inner));
            lines[2].append(i == 0 ? "" : ARROW).append(cell(blocks, inner));
            lines[3].append(gap).append(cell(pid, inner));
            lines[4].append(gap).append(edge);
        }
        int width = lines[0].length();
        String picture = String.join("\n", lines);
        return chain.size() < 2 ? picture : picture + "\n" + wayBack(width);
    }

    private static String cell(String text, int width) {
        return "| " + text + " ".repeat(width - text.length()) + " |";
    }

    private static String wayBack(int width) {
        String say = " tokens ";
        int line = Math.max(0, width - 12 - say.length());
        return "       ^" + "-".repeat(line / 2) + say + "-".repeat(line - line / 2) + "+";
    }
}
