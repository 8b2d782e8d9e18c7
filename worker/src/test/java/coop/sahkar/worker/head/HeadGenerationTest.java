package coop.sahkar.worker.head;

import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.RecordingSink;
import coop.sahkar.worker.engine.Routes;
import coop.sahkar.worker.engine.StageMessage;
import coop.sahkar.worker.simulate.LetterVocabulary;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HeadGenerationTest {
    private static final SealedTicket TICKET = Routes.ticket(1, 1, Routes.even(3), 30);
    private static final int[] PROMPT = Routes.prompt(10, 1);
    private static final int[] NONE = {};
    private static final long STALL_MILLIS = 1000;

    private final RecordingSink sink = new RecordingSink();

    private HeadGeneration generation(int[] committed, int maxTokens, List<String> stops) {
        TextAssembler text = new TextAssembler(new LetterVocabulary(), stops, committed.length);
        GenerationStart start =
                new GenerationStart(
                        TICKET, Routes.sampling(1), PROMPT, committed, maxTokens, text, sink, 1, 0);
        HeadGeneration generation =
                new HeadGeneration(start, new LetterVocabulary(), 4, 2, STALL_MILLIS, micros(0));
        generation.begin();
        return generation;
    }

    private static long micros(long micros) {
        return TimeUnit.MICROSECONDS.toNanos(micros);
    }

    private static void feedAll(HeadGeneration generation) {
        for (Chunk next = generation.next(); next != null; next = generation.next()) {
            generation.onProgress(next.firstPosition() + next.tokens().length, 0);
        }
    }

    private static String shown(@Nullable Chunk chunk) {
        return chunk == null
                ? "none"
                : chunk.firstPosition()
                        + "+"
                        + chunk.tokens().length
                        + (chunk.wantToken() ? "?" : "");
    }

    @Test
    void thePromptGoesInChunksAndTwoAreUnderWayAtMost() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        assertThat(shown(generation.next())).isEqualTo("0+4");
        assertThat(shown(generation.next())).isEqualTo("4+4");
        assertThat(shown(generation.next())).isEqualTo("none");
        generation.onProgress(4, 0);
        assertThat(shown(generation.next())).isEqualTo("8+2?");
        generation.onProgress(8, 0);
        assertThat(sink.prefilled).containsExactly(4, 8);
        onToken(generation, 10, 3, 0);
        assertThat(sink.prefilled).containsExactly(4, 8, 10);
        assertThat(shown(generation.next())).isEqualTo("10+1?");
    }

    @Test
    void aReaderThatComesBackIsToldWhatItHasNotHeardAndItGoesOnBehindThat() {
        int[] past = Arrays.copyOf(PROMPT, PROMPT.length + 3);
        past[PROMPT.length] = 1;
        past[PROMPT.length + 1] = 2;
        past[PROMPT.length + 2] = 3;
        int[] heard = {1};
        TextAssembler text = new TextAssembler(new LetterVocabulary(), List.of(), heard.length);
        GenerationStart back =
                new GenerationStart(TICKET, Routes.sampling(1), PROMPT, heard, 9, text, sink, 1, 0);
        HeadGeneration generation =
                new HeadGeneration(
                        back.goingOn(new PastTurn(past)),
                        new LetterVocabulary(),
                        4,
                        2,
                        STALL_MILLIS,
                        micros(0));
        generation.begin();

        assertThat(sink.tokens).containsExactly(2, 3);
        assertThat(generation.fixedPositions()).isEqualTo(PROMPT.length + 2);
        past[0]++;
        assertThat(back.goingOn(new PastTurn(past))).isEqualTo(back);
    }

    @Test
    void theNextTurnIsFedAtOnceFromWhatTheHeadHolds() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        generation.begins(9);
        assertThat(shown(generation.next())).isEqualTo("9+1?");
        assertThat(shown(generation.next())).isEqualTo("none");
    }

    @Test
    void whatAllStagesLostIsFedInAWindowTooThoughTheHeadHeldIt() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        generation.begins(9);
        generation.next();
        generation.rewind(0);
        assertThat(shown(generation.next())).isEqualTo("0+4");
        assertThat(shown(generation.next())).isEqualTo("4+4");
        assertThat(shown(generation.next())).isEqualTo("none");
    }

    @Test
    void aTokenForAnotherPositionIsIgnored() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        feedAll(generation);
        onToken(generation, 11, 3, 0);
        onToken(generation, 9, 3, 0);
        assertThat(sink.tokens).isEmpty();
        onToken(generation, 10, 3, 0);
        onToken(generation, 10, 4, 0);
        generation.tell();
        assertThat(sink.tokens).containsExactly(3);
    }

    @Test
    void theEndOfGenerationCountsAsATokenWithoutText() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        feedAll(generation);
        onToken(generation, 10, 1, micros(300));
        onToken(generation, 11, 0, micros(500));
        assertThat(sink.text.toString()).isEqualTo("A");
        assertThat(sink.end).isEqualTo(new GenerationEnd(false, 10, 2, 300, 200, 0));
        assertThat(generation.over()).isTrue();
        assertThat(generation.next()).isNull();
    }

    @Test
    void aStopStringEndsIt() {
        HeadGeneration generation = generation(NONE, 9, List.of("BC"));
        feedAll(generation);
        onToken(generation, 10, 2, 0);
        assertThat(generation.over()).isFalse();
        onToken(generation, 11, 3, 0);
        assertThat(sink.end).isNotNull();
        assertThat(sink.end.length()).isFalse();
        assertThat(sink.tokens).containsExactly(2, 3);
    }

    @Test
    void theMostTokensEndItByLength() {
        HeadGeneration generation = generation(NONE, 2, List.of());
        feedAll(generation);
        onToken(generation, 10, 2, 0);
        onToken(generation, 11, 3, 0);
        assertThat(sink.end).isNotNull();
        assertThat(sink.end.length()).isTrue();
    }

    @Test
    void theTicketsPositionsEndItByLength() {
        HeadGeneration generation = generation(NONE, 1000, List.of());
        for (int position = 10; position < 30; position++) {
            assertThat(generation.over()).isFalse();
            feedAll(generation);
            onToken(generation, position, 2, 0);
        }
        assertThat(sink.end).isNotNull();
        assertThat(sink.end.length()).isTrue();
        assertThat(sink.end.completionTokens()).isEqualTo(20);
    }

    @Test
    void whatIsCommittedAlreadyCanEndIt() {
        generation(new int[] {5, 6}, 2, List.of());
        assertThat(sink.end).isEqualTo(new GenerationEnd(true, 10, 2, 0, 0, 0));
        assertThat(sink.tokens).isEmpty();
    }

    @Test
    void whatIsCommittedAlreadyCanHaveEndedWithTheModelsWord() {
        generation(new int[] {5, 0}, 9, List.of());
        assertThat(sink.end).isEqualTo(new GenerationEnd(false, 10, 2, 0, 0, 0));
    }

    @Test
    void aRewindFeedsTheTokensOnceMore() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        feedAll(generation);
        onToken(generation, 10, 7, 0);
        assertThat(shown(generation.next())).isEqualTo("10+1?");
        generation.rewind(5);
        assertThat(shown(generation.next())).isEqualTo("5+4");
        assertThat(shown(generation.next())).isEqualTo("9+2?");
        onToken(generation, 11, 8, 0);
        generation.tell();
        assertThat(sink.tokens).containsExactly(7, 8);
    }

    @Test
    void aStandstillFeedsOnceMoreAndThenFails() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        feedAll(generation);
        onToken(generation, 10, 7, micros(1000));
        assertThat(shown(generation.next())).isEqualTo("10+1?");
        generation.checkStall(micros(500_000));
        assertThat(shown(generation.next())).isEqualTo("none");
        generation.checkStall(micros(501_000));
        assertThat(shown(generation.next())).isEqualTo("10+1?");
        generation.checkStall(micros(700_000));
        assertThat(shown(generation.next())).isEqualTo("none");
        generation.checkStall(micros(1_001_000));
        assertThat(sink.problem).isNotNull();
        assertThat(sink.problem.kind()).isEqualTo(Problem.Kind.WORKER_LOST);
    }

    @Test
    void aSlowRingIsGivenMoreTime() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        generation.next();
        generation.computed(micros(100_000));
        generation.checkStall(micros(2_399_000));
        assertThat(sink.over()).isFalse();
        generation.checkStall(micros(2_400_000));
        assertThat(sink.problem).isNotNull();
        assertThat(sink.problem.message()).contains("w0 → w1 → w2 for 2400 ms");
    }

    @Test
    void aTokenThatTheVocabularyLacksIsTheTailsFault() {
        HeadGeneration generation = generation(NONE, 5, List.of());
        feedAll(generation);
        onToken(generation, 10, 61, 0);
        assertThat(sink.problem).isNotNull();
        assertThat(sink.problem.kind()).isEqualTo(Problem.Kind.PROTOCOL);
        assertThat(sink.culprit).isEqualTo("w2");
    }

    private static void onToken(HeadGeneration generation, int position, int token, long nowNanos) {
        generation.onToken(
                new StageMessage.Token(new SessionId(1, 2), 1, position, token), nowNanos);
    }
}
