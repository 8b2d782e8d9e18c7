package coop.sahkar.client.provider;

import coop.sahkar.client.Answering;
import coop.sahkar.client.Completion;
import coop.sahkar.client.TextPiece;
import coop.sahkar.client.ToolCall;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What happens while a provider answers. */
public sealed interface AnswerEvent {
    /** The provider is at work; says who answers. */
    record Started(Answering answering) implements AnswerEvent {}

    /** A sign of life without text: a keep-alive, or part of the prompt computed. */
    record Alive() implements AnswerEvent {}

    /** The next piece of text. */
    record Piece(TextPiece piece) implements AnswerEvent {}

    /** The provider says that it takes nothing more for a while; the answer itself goes on. */
    record Exhausted(Duration rest) implements AnswerEvent {}

    /**
     * The answer is complete.
     *
     * @param reason why it ended
     * @param usage tokens as the provider counted them; empty when it did not say
     * @param timings as the provider measured them; empty when it did not say
     * @param toolCalls the tools the model wants called, complete
     */
    record Finished(
            Completion.FinishReason reason,
            Optional<Completion.Usage> usage,
            Optional<Completion.Timings> timings,
            List<ToolCall> toolCalls)
            implements AnswerEvent {
        public Finished {
            toolCalls = List.copyOf(toolCalls);
        }
    }

    /** The answer cannot be completed here. */
    record Failed(Failure failure) implements AnswerEvent {}

    /** Nothing came in the time the reader was willing to wait. */
    record Silence() implements AnswerEvent {}
}
