package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.demo.Chaos;
import coop.sahkar.deploy.demo.Chaos.Ordeal;
import coop.sahkar.deploy.demo.Chaos.Victim;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.proto.RouteStage;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** {@code sahkar demo --chaos}: answers that outlive their workers, for people to watch. */
final class ChaosShow {
    private static final int ROUNDS = 3;

    private static final List<String> QUESTIONS =
            List.of(
                    "Tell me a story.",
                    "What is a worker?",
                    "What is a coordinator?",
                    "Who are you?",
                    "What is a co-operative?");

    private final Chaos chaos;
    private final PrintWriter out;
    private final Consumer<String> note;
    private final List<Long> pauses = new ArrayList<>();
    private int answers;
    private int same;

    /**
     * @param out where answers go
     * @param note where everything else goes, a line at a time
     */
    ChaosShow(Chaos chaos, PrintWriter out, Consumer<String> note) {
        this.chaos = chaos;
        this.out = out;
        this.note = note;
    }

    /**
     * Shows it.
     *
     * @param question asked {@link #ROUNDS} times; empty: one question after the other until Ctrl-C
     * @return the exit code
     */
    int run(String question) throws InterruptedException {
        Victim[] victims = Victim.values();
        if (question.isEmpty()) {
            note.accept("Ctrl-C ends it.");
        }
        int rounds = question.isEmpty() ? Integer.MAX_VALUE : ROUNDS;
        for (int round = 0; round < rounds; round++) {
            String asked = question.isEmpty() ? QUESTIONS.get(round % QUESTIONS.size()) : question;
            round(asked, victims[round % victims.length]);
        }
        return same == answers ? ExitCode.OK : ExitCode.FAILED;
    }

    private void round(String question, Victim victim) throws InterruptedException {
        Ordeal calm = chaos.undisturbed(question);
        note.accept("");
        note.accept("> " + question);
        Ordeal ordeal =
                chaos.disturbed(question, victim, Math.max(1, calm.tokens() / 3), new Screen());
        out.println();
        out.flush();
        answers++;
        boolean equal = ordeal.text().equals(calm.text());
        same += equal ? 1 : 0;
        pauses.add(ordeal.pauseMillis());
        note.accept(
                "  %d tokens, each once; longest pause %d ms; %s"
                        .formatted(
                                ordeal.tokens(),
                                ordeal.pauseMillis(),
                                equal
                                        ? "the same text as without the kill"
                                        : "not the text it would have been: " + calm.text()));
        note.accept(summary());
        if (!ordeal.killed().isEmpty()) {
            note.accept("  starting %s again ...".formatted(ordeal.killed()));
            chaos.revive(ordeal.killed());
        }
    }

    private String summary() {
        List<Long> sorted = pauses.stream().sorted().toList();
        return String.format(
                Locale.ROOT,
                "  so far: %d answers, %d workers killed, %d texts the same; pauses: median %d ms, longest %d ms",
                answers,
                pauses.size(),
                same,
                sorted.get((sorted.size() - 1) / 2),
                sorted.getLast());
    }

    /** Where the answer appears. */
    private final class Screen implements Chaos.Watcher {
        @Override
        public void text(String text) {
            out.print(text);
            out.flush();
        }

        @Override
        public void killed(RouteStage stage) {
            out.flush();
            note.accept(
                    "  [killed %s, which held blocks %s]"
                            .formatted(stage.workerId(), Amounts.blocks(stage.span())));
        }
    }
}
