package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.MediaType;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.v1.Delta;
import coop.sahkar.proto.v1.Finished;
import coop.sahkar.proto.v1.ResumePoint;
import coop.sahkar.proto.v1.Started;
import coop.sahkar.proto.v1.StreamPlace;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The stream of one answer whose events bear in their ids how far it has come, so that it can go on
 * at another coordinator. There the whole answer is told once more and this leaves out what its
 * reader has: as events are a function of the text, whatever pieces it comes in, and of where the
 * last piece began, the rest follows as it would have. That the text is the same as before, a
 * checksum of it tells; where it is not, the stream ends with an error. Owned by one thread.
 */
final class MarkedFormat implements AnswerFormat {
    private static final int ONLY = 0;

    private final AnswerFormat format;
    private final Function<ResumePoint, String> marks;
    private final LongSupplier unixMillis;
    private final StreamPlace seen;
    private final boolean resumed;
    private final CRC32 one = new CRC32();
    private final CRC32C other = new CRC32C();
    private final ByteArrayOutputStream replay = new ByteArrayOutputStream();
    private String mark = "";
    private long askedAtMillis;
    private boolean replaying;
    private long bytes;
    private int tokens;
    private int lastEvents;
    private @Nullable Problem fault;

    /**
     * @param format writes the events; the answer is the only one of its request
     * @param marks what ids say of a session that stands at a point; empty if nothing
     * @param seen where its reader is; null for a new stream
     */
    MarkedFormat(
            AnswerFormat format,
            Function<ResumePoint, String> marks,
            LongSupplier unixMillis,
            @Nullable StreamPlace seen) {
        this.format = format;
        this.marks = marks;
        this.unixMillis = unixMillis;
        this.seen = seen == null ? StreamPlace.getDefaultInstance() : seen;
        this.resumed = seen != null;
        this.replaying = resumed;
    }

    @Override
    public void started(Started started) {
        format.started(started);
        if (started.hasResume()) {
            goesOnFrom(started.getResume());
        }
    }

    @Override
    public void goesOnFrom(ResumePoint point) {
        mark = marks.apply(point);
        askedAtMillis = point.getAskedAtMillis();
    }

    @Override
    public @Nullable Problem fault() {
        return fault;
    }

    @Override
    public List<HttpData> opening(int choice) {
        List<HttpData> events = format.opening(choice);
        return resumed ? List.of() : marked(events, 0, 0, checksum());
    }

    @Override
    public List<HttpData> piece(int choice, Delta delta) {
        if (fault != null) {
            return List.of();
        }
        tokens += delta.getTokensCount();
        byte[] text = delta.getText().getBytes(StandardCharsets.UTF_8);
        if (!replaying) {
            return text.length == 0 ? List.of() : told(text, 0);
        }
        replay.writeBytes(text);
        return replay.size() < seen.getBytes() + seen.getPieceBytes() ? List.of() : caughtUp();
    }

    /** All that the reader has was told once more, and perhaps more. */
    private List<HttpData> caughtUp() {
        replaying = false;
        byte[] all = replay.toByteArray();
        replay.reset();
        int whole = (int) seen.getBytes();
        int begun = seen.getPieceBytes();
        List<HttpData> events = new ArrayList<>();
        told(part(all, 0, whole), 0);
        if (checksum() != seen.getChecksum()) {
            fault = otherText();
            return List.of();
        }
        events.addAll(told(part(all, whole, whole + begun), seen.getPieceEvents()));
        events.addAll(told(part(all, whole + begun, all.length), 0));
        return events;
    }

    private static byte[] part(byte[] all, int from, int to) {
        return Arrays.copyOfRange(all, from, to);
    }

    /** The events of a piece of text, but for the first few. */
    private List<HttpData> told(byte[] text, int without) {
        if (text.length == 0) {
            return List.of();
        }
        long before = checksum();
        Delta piece = Delta.newBuilder().setText(new String(text, StandardCharsets.UTF_8)).build();
        List<HttpData> events = format.piece(ONLY, piece);
        long from = bytes;
        bytes += text.length;
        one.update(text);
        other.update(text);
        List<HttpData> marked = marked(events, from, text.length, before);
        return marked.subList(Math.min(without, marked.size()), marked.size());
    }

    @Override
    public List<HttpData> ended(int choice, Finished finished) {
        if (replaying && replay.size() < seen.getBytes() + seen.getPieceBytes()) {
            fault = otherText();
            return List.of();
        }
        List<HttpData> events = new ArrayList<>(replaying ? caughtUp() : List.of());
        if (fault == null) {
            events.addAll(last(format.ended(choice, finished)));
        }
        return events;
    }

    @Override
    public List<HttpData> closing(Finished total) {
        return last(format.closing(total));
    }

    private List<HttpData> last(List<HttpData> events) {
        List<HttpData> marked = new ArrayList<>();
        for (HttpData event : events) {
            lastEvents++;
            if (lastEvents > seen.getLastEvents()) {
                marked.add(marked(event, place().setLastEvents(lastEvents)));
            }
        }
        return marked;
    }

    private static Problem otherText() {
        return Problem.of(
                Problem.Kind.WORKER_LOST,
                "The answer cannot go on where it was: computed once more it reads otherwise. Ask again.");
    }

    /** Events of one piece: behind the last of them all of it came. */
    private List<HttpData> marked(List<HttpData> events, long from, int length, long before) {
        List<HttpData> marked = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            StreamPlace.Builder place = place();
            if (i < events.size() - 1) {
                place.setBytes(from)
                        .setChecksum(before)
                        .setPieceBytes(length)
                        .setPieceEvents(i + 1);
            }
            marked.add(marked(events.get(i), place));
        }
        return marked;
    }

    private StreamPlace.Builder place() {
        long age = Math.max(0, unixMillis.getAsLong() - askedAtMillis);
        return StreamPlace.newBuilder()
                .setBytes(bytes)
                .setTokens(tokens)
                .setAgeTenths((int) Math.min(Integer.MAX_VALUE, age / 100))
                .setChecksum(checksum());
    }

    private HttpData marked(HttpData event, StreamPlace.Builder place) {
        return mark.isEmpty()
                ? event
                : HttpData.ofUtf8(
                        "id: %s.%s\n%s"
                                .formatted(
                                        mark, StreamMarks.of(place.build()), event.toStringUtf8()));
    }

    private long checksum() {
        return one.getValue() << Integer.SIZE | other.getValue();
    }

    @Override
    public MediaType streamType() {
        return format.streamType();
    }

    @Override
    public @Nullable HttpData ping() {
        return format.ping();
    }

    @Override
    public HttpData broken(Problem problem) {
        return format.broken(problem);
    }

    @Override
    public HttpData whole(List<Choice> choices, Finished total) {
        return format.whole(choices, total);
    }

    @Override
    public HttpResponse refused(Problem problem) {
        return format.refused(problem);
    }
}
