package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.Started;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How one answer is written, whole or as a stream; owned by whoever writes it. */
interface AnswerFormat {
    /**
     * One of a request's answers, complete.
     *
     * @param deltas what it is made of, in order
     */
    record Choice(List<Delta> deltas, Finished finished) {
        String text() {
            StringBuilder text = new StringBuilder();
            deltas.forEach(delta -> text.append(delta.getText()));
            return text.toString();
        }
    }

    /** It is known which model answers. */
    void started(Started started);

    /** The answer's session stands here now, for whoever goes on with it elsewhere. */
    default void goesOnFrom(ResumePoint point) {}

    /** Why the answer cannot be written on; null if it can. */
    default @Nullable Problem fault() {
        return null;
    }

    /** Content type of a stream. */
    MediaType streamType();

    /** What keeps a waiting reader company; null for silence. */
    @Nullable HttpData ping();

    /** What a stream begins with. */
    List<HttpData> opening(int choice);

    /** What a stream says of more tokens; may be nothing. */
    List<HttpData> piece(int choice, Delta delta);

    /** What a stream says of a choice that is complete. */
    List<HttpData> ended(int choice, Finished finished);

    /**
     * How a stream ends.
     *
     * @param total the counts of all choices together
     */
    List<HttpData> closing(Finished total);

    /** What a stream says that cannot go on. */
    HttpData broken(Problem problem);

    /**
     * A whole answer.
     *
     * @param total the counts of all choices together
     */
    HttpData whole(List<Choice> choices, Finished total);

    /** The response when nothing has been answered yet. */
    HttpResponse refused(Problem problem);

    /** The counts of two choices of one prompt together. */
    static Finished together(@Nullable Finished one, Finished other) {
        return one == null
                ? other
                : one.toBuilder()
                        .setCompletionTokens(
                                one.getCompletionTokens() + other.getCompletionTokens())
                        .build();
    }
}
