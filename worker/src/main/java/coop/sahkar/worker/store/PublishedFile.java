package coop.sahkar.worker.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A published GGUF file, from which its pieces are served. If somebody changes the file, nothing of
 * it is served any more: it would not be the model that was published.
 */
public final class PublishedFile implements TensorCatalog, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PublishedFile.class);

    private final Path path;
    private final String modelId;
    private final Map<String, Piece> pieces;
    private final FileChannel channel;
    private final long fileBytes;
    private final FileTime changedAt;

    private PublishedFile(
            Path path,
            String modelId,
            Map<String, Piece> pieces,
            FileChannel channel,
            long fileBytes,
            FileTime changedAt) {
        this.path = path;
        this.modelId = modelId;
        this.pieces = pieces;
        this.channel = channel;
        this.fileBytes = fileBytes;
        this.changedAt = changedAt;
    }

    /**
     * Opens a file to be served.
     *
     * @param modelId the model it holds
     * @param pieces what it consists of, the key-value section among them
     */
    public static PublishedFile open(Path path, String modelId, List<Piece> pieces)
            throws IOException {
        Map<String, Piece> byName = new LinkedHashMap<>();
        pieces.forEach(piece -> byName.put(piece.name(), piece));
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            FileTime changedAt = Files.getLastModifiedTime(path);
            return new PublishedFile(path, modelId, byName, channel, channel.size(), changedAt);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public Optional<Held> find(String wantedModel, String wantedPiece) {
        Piece piece = pieces.get(wantedPiece);
        if (!wantedModel.equals(modelId) || piece == null || changed()) {
            return Optional.empty();
        }
        return Optional.of(new HeldRange(channel, piece.offset(), piece.bytes(), () -> {}));
    }

    private boolean changed() {
        try {
            boolean same =
                    channel.size() == fileBytes
                            && Files.getLastModifiedTime(path).equals(changedAt);
            if (!same) {
                LOG.warn("{} was changed after it was published; publish it again", path);
            }
            return !same;
        } catch (IOException e) {
            LOG.warn("{} can no longer be read: {}", path, e.toString());
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
