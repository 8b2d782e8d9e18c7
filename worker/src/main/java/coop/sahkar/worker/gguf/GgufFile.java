package coop.sahkar.worker.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A GGUF file (version 2 or 3, little-endian), mapped into memory until closed. Its tensors' data
 * never reaches the Java heap. Safe for use by many threads; closing while another thread reads
 * throws in one of the two.
 */
public final class GgufFile implements AutoCloseable {
    private final Path path;
    private final Arena arena;
    private final MemorySegment mapped;
    private final GgufHeader header;
    private final Map<String, GgufTensor> byName = new LinkedHashMap<>();

    private GgufFile(Path path, Arena arena, MemorySegment mapped, GgufHeader header) {
        this.path = path;
        this.arena = arena;
        this.mapped = mapped;
        this.header = header;
        header.tensors().forEach(tensor -> byName.put(tensor.name(), tensor));
    }

    /**
     * Maps and checks a file.
     *
     * @throws GgufException if it is not a GGUF that can be used; the sentence says why
     * @throws IOException if it cannot be read
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena is closed with the file, or below
    public static GgufFile open(Path path) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment mapped =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new GgufFile(path, arena, mapped, GgufReader.read(mapped, path.toString()));
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /** 2 or 3. */
    public int version() {
        return header.version();
    }

    /** What every tensor's offset is a multiple of, in bytes; a power of two. */
    public int alignment() {
        return header.alignment();
    }

    public Metadata metadata() {
        return header.metadata();
    }

    /** Where the key-value pairs begin, counted from the beginning of the file. */
    public long metadataOffset() {
        return header.metadataOffset();
    }

    /** The tensors, in the file's order. */
    public List<GgufTensor> tensors() {
        return header.tensors();
    }

    public Optional<GgufTensor> tensor(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** The data of one of this file's tensors, read-only, in the file's byte order. */
    public MemorySegment data(GgufTensor tensor) {
        return mapped.asSlice(tensor.offset(), tensor.bytes());
    }

    public long fileBytes() {
        return mapped.byteSize();
    }

    @Override
    public void close() {
        arena.close();
    }
}
