package coop.sahkar.worker.gguf;

import coop.sahkar.proto.Limits;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Makes the manifest of a GGUF file: reads every byte of it once and digests it. */
public final class ManifestBuilder {
    private static final int PART_BYTES = 1 << 20;

    private final GgufFile file;
    private final Progress progress;
    private final AtomicLong done = new AtomicLong();
    private final long total;

    private ManifestBuilder(GgufFile file, Progress progress) {
        this.file = file;
        this.progress = progress;
        this.total = file.tensors().stream().mapToLong(GgufTensor::bytes).sum();
    }

    /**
     * Digests the file's tensors on {@code threads} threads and describes the model.
     *
     * @param name what the model shall be called; {@link #nameOf} makes one of a file's name
     * @throws GgufException if the model cannot be served by the pool; the sentence says why
     */
    public static ModelManifest build(GgufFile file, String name, int threads, Progress progress)
            throws IOException, InterruptedException {
        ModelShape shape = ModelShape.of(file.metadata(), file.path().toString());
        List<TensorEntry> tensors = new ManifestBuilder(file, progress).digest(threads);
        Metadata metadata = ModelManifest.kept(file.metadata());
        KeyValueSection keyValues = keyValues(file);
        ModelManifest manifest =
                new ModelManifest(
                        name,
                        ModelDigest.of(metadata, keyValues, tensors),
                        shape.architecture().id(),
                        shape.blockCount(),
                        shape.width(),
                        ManifestCheck.vocabulary(tensors),
                        shape.contextLength(),
                        Quantization.label(metadata, tensors),
                        shape.architecture().grain(),
                        file.version(),
                        metadata,
                        keyValues,
                        tensors,
                        file.fileBytes());
        ManifestCheck.require(manifest);
        ManifestCheck.requireKeyValues(manifest, file.metadata());
        return manifest;
    }

    private static KeyValueSection keyValues(GgufFile file) {
        MessageDigest digest = ModelDigest.sha256();
        digest.update(file.metadata().encodedShared());
        return new KeyValueSection(
                file.metadataOffset(),
                file.metadata().encodedBytes(),
                ModelDigest.hex(digest),
                file.metadata().keys().size());
    }

    /** A model's name made of its file's: the characters that may stand in one, in lower case. */
    public static String nameOf(Path path) {
        String name = String.valueOf(path.getFileName());
        if (name.toLowerCase(Locale.ROOT).endsWith(".gguf")) {
            name = name.substring(0, name.length() - ".gguf".length());
        }
        String fit = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]+", "-");
        String bare = fit.replaceAll("^[^a-z0-9]+|[^a-z0-9]+$", "");
        String start = bare.isEmpty() ? "model" : bare;
        return start.substring(0, Math.min(start.length(), Limits.MAX_MODEL_NAME));
    }

    private List<TensorEntry> digest(int threads) throws IOException, InterruptedException {
        ExecutorService executor = Executors.newFixedThreadPool(Math.max(1, threads));
        try {
            List<Future<TensorEntry>> pending = new ArrayList<>();
            for (GgufTensor tensor : file.tensors()) {
                pending.add(executor.submit(() -> entry(tensor)));
            }
            List<TensorEntry> entries = new ArrayList<>();
            for (Future<TensorEntry> one : pending) {
                entries.add(one.get());
            }
            return entries;
        } catch (ExecutionException e) {
            throw new IOException("digesting " + file.path() + " failed: " + e.getMessage(), e);
        } finally {
            executor.shutdownNow();
            executor.close();
        }
    }

    private TensorEntry entry(GgufTensor tensor) throws InterruptedException {
        MessageDigest digest = ModelDigest.sha256();
        MemorySegment data = file.data(tensor);
        for (long offset = 0; offset < tensor.bytes(); offset += PART_BYTES) {
            if (Thread.interrupted()) {
                throw new InterruptedException("digesting was given up");
            }
            long part = Math.min(PART_BYTES, tensor.bytes() - offset);
            digest.update(data.asSlice(offset, part).asByteBuffer());
            progress.at(done.addAndGet(part), total);
        }
        return new TensorEntry(
                tensor.name(),
                tensor.type(),
                tensor.shape(),
                tensor.offset(),
                tensor.bytes(),
                ModelDigest.hex(digest));
    }
}
