package coop.sahkar.worker.store;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches pieces of one model from its sources: goes on from what is here, moves to another source
 * when one fails, stalls, is slow or lies, and gives up when nobody is left. Safe for use by many
 * threads.
 */
final class PieceFetcher implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PieceFetcher.class);
    private static final long NAP_MILLIS = 50;

    private final String modelId;
    private final List<Source> sources;
    private final FetchPolicy policy;
    private final SourceBoard board;

    PieceFetcher(String modelId, List<Source> sources, FetchPolicy policy) {
        this.modelId = modelId;
        this.sources = List.copyOf(sources);
        this.policy = policy;
        this.board = new SourceBoard(this.sources, policy);
    }

    /** How many pieces to fetch at once. */
    int parallel() {
        return policy.parallel();
    }

    /**
     * Brings what {@code target} lacks.
     *
     * @throws StoreException if nobody is left who could give it
     * @throws IOException from the target
     */
    void fetch(PieceTarget target, Cancellation cancellation)
            throws StoreException, IOException, InterruptedException {
        Piece piece = target.piece();
        while (true) {
            cancellation.check();
            switch (board.choose(piece, System.nanoTime())) {
                case SourceBoard.Choice.Nobody(String why) ->
                        throw new StoreException(
                                "%s of %s cannot be fetched: %s"
                                        .formatted(piece.described(), modelId, why));
                case SourceBoard.Choice.Rest(long untilNanos) -> rest(untilNanos, cancellation);
                case SourceBoard.Choice.Ask(Source source) -> {
                    if (ask(source, target, cancellation)) {
                        return;
                    }
                }
            }
        }
    }

    private static void rest(long untilNanos, Cancellation cancellation)
            throws InterruptedException {
        while (System.nanoTime() - untilNanos < 0) {
            cancellation.check();
            TimeUnit.MILLISECONDS.sleep(NAP_MILLIS);
        }
    }

    /** Whether the piece is complete now. */
    private boolean ask(Source source, PieceTarget target, Cancellation cancellation)
            throws IOException, InterruptedException {
        long from = target.have();
        long began = System.nanoTime();
        try {
            source.read(modelId, target.piece(), from, sink(source, target), cancellation);
        } catch (SourceException e) {
            note(source, target.piece(), e);
        } finally {
            board.ended(source, target.have() - from, System.nanoTime() - began);
        }
        return target.have() == target.piece().bytes() && checked(source, target, from == 0);
    }

    private Source.Sink sink(Source source, PieceTarget target) {
        long from = target.have();
        long began = System.nanoTime();
        return bytes -> {
            target.append(bytes);
            long now = System.nanoTime();
            boolean leave =
                    target.have() < target.piece().bytes()
                            && board.tooSlow(
                                    source, target.piece(), target.have() - from, now - began, now);
            return !leave;
        };
    }

    private void note(Source source, Piece piece, SourceException failure) {
        String why = String.valueOf(failure.getMessage());
        LOG.debug("{} from {}: {}", piece.described(), source.address(), why);
        switch (failure.kind()) {
            case UNAVAILABLE -> board.failed(source, why, System.nanoTime());
            case LACKS_PIECE -> board.lacks(source, piece);
            case UNUSABLE -> board.giveUp(source, why);
        }
    }

    /** A source is blamed for wrong bytes only if it sent all of them. */
    private boolean checked(Source source, PieceTarget target, boolean sentAll) throws IOException {
        if (target.complete()) {
            board.succeeded(source);
            return true;
        }
        if (sentAll) {
            String why = "it sent other bytes for %s than the manifest promises";
            LOG.warn("{}: {}", source.address(), why.formatted(target.piece().described()));
            board.giveUp(source, why.formatted(target.piece().described()));
        }
        return false;
    }

    @Override
    public void close() {
        sources.forEach(Source::close);
    }
}
