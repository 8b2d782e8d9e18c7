package coop.sahkar.worker.engine;

import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.TextAssembler;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Tickets, samplings and generations for tests. */
public final class Routes {
    private Routes() {}

    /** A route of {@code stages} stages through workers w0, w1, …; spans as even as they can be. */
    public static List<RouteStage> even(int stages) {
        List<RouteStage> route = new ArrayList<>();
        for (int i = 0; i < stages; i++) {
            Span span =
                    new Span(i * FakeStage.BLOCKS / stages, (i + 1) * FakeStage.BLOCKS / stages);
            route.add(new RouteStage("w" + i, "host" + i + ":1", span));
        }
        return route;
    }

    public static SealedTicket ticket(
            long session, int epoch, List<RouteStage> route, int maxPositions) {
        return ticket(session, epoch, route, maxPositions, "");
    }

    static SealedTicket ticket(
            long session, int epoch, List<RouteStage> route, int maxPositions, String account) {
        Ticket ticket =
                new Ticket(
                        new SessionId(0, session),
                        epoch,
                        "fake@0",
                        FakeStage.BLOCKS,
                        route,
                        account,
                        maxPositions,
                        Long.MAX_VALUE,
                        1);
        return new SealedTicket(ticket, new byte[0], new byte[0], "key");
    }

    public static Sampling sampling(long seed) {
        return new Sampling(1, 0, 1, 0, 1, 1, 0, 0, -1, new TreeMap<>(), seed);
    }

    public static GenerationStart start(
            SealedTicket ticket, long seed, int[] prompt, int maxTokens, RecordingSink sink) {
        return start(ticket, seed, prompt, new int[0], maxTokens, sink);
    }

    public static GenerationStart start(
            SealedTicket ticket,
            long seed,
            int[] prompt,
            int[] committed,
            int maxTokens,
            RecordingSink sink) {
        TextAssembler text = new TextAssembler(new LetterVocabulary(), List.of(), committed.length);
        return new GenerationStart(
                ticket, sampling(seed), prompt, committed, maxTokens, text, sink, 1, 0);
    }

    /** What a generation is to report: the model's answer up to its end or {@code maxTokens}. */
    public static List<Integer> expected(int[] prompt, long seed, int maxTokens) {
        List<Integer> tokens = new ArrayList<>();
        for (int token : FakeStage.answer(prompt, seed, maxTokens)) {
            tokens.add(token);
            if (token == 0) {
                break;
            }
        }
        return tokens;
    }

    /** A prompt of {@code length} tokens that depends on {@code salt}. */
    public static int[] prompt(int length, long salt) {
        int[] prompt = new int[length];
        for (int i = 0; i < length; i++) {
            prompt[i] = 1 + (int) Math.floorMod(salt * 31 + i * 17L + i * salt, 60L);
        }
        return prompt;
    }
}
