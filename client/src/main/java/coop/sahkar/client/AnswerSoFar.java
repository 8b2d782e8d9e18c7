package coop.sahkar.client;

import coop.sahkar.client.provider.AnswerEvent;
import coop.sahkar.client.routing.Course;
import coop.sahkar.client.routing.TokenEstimate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What came of an answer until now, from whomever. */
final class AnswerSoFar {
    private final StringBuilder text = new StringBuilder();
    private final List<Part> parts = new ArrayList<>();
    private volatile @Nullable Answering answering;
    private int countedTokens;

    StringBuilder text() {
        return text;
    }

    Optional<Answering> answering() {
        return Optional.ofNullable(answering);
    }

    void answering(Answering who) {
        answering = who;
    }

    void add(TextPiece piece) {
        text.append(piece.text());
        countedTokens += piece.tokens();
    }

    /** Tokens delivered: counted where the provider tells, else estimated. */
    int tokens() {
        return Math.max(countedTokens, TokenEstimate.of(text.toString()));
    }

    /** The provider of this part gives no more of it. */
    void partEnded(Attempt attempt) {
        if (text.length() > attempt.firstChar()) {
            var pair = attempt.candidate().pair();
            parts.add(new Part(pair.provider(), pair.model(), attempt.firstChar(), text.length()));
        }
    }

    Completion completed(Attempt attempt, AnswerEvent.Finished done, Course course) {
        partEnded(attempt);
        Answering who = answering;
        if (who == null) {
            who = new Answering("", attempt.candidate().pair().model(), 0, List.of());
        }
        return new Completion(
                text.toString(),
                done.reason(),
                usage(attempt, done),
                done.timings().orElseGet(attempt::timings),
                who,
                done.toolCalls(),
                parts,
                tried(course));
    }

    private Completion.Usage usage(Attempt attempt, AnswerEvent.Finished done) {
        Completion.Usage last = done.usage().orElseGet(() -> attempt.estimate(text));
        if (attempt.firstChar() == 0) {
            return last;
        }
        int before = TokenEstimate.of(text.substring(0, attempt.firstChar()));
        return new Completion.Usage(
                last.promptTokens(), before + last.completionTokens(), last.cachedTokens(), true);
    }

    static List<Tried> tried(Course course) {
        return course.missed().stream()
                .map(m ->
                        new Tried(
                                m.candidate().pair().provider(),
                                m.candidate().pair().model(),
                                m.failure()))
                .toList();
    }
}
