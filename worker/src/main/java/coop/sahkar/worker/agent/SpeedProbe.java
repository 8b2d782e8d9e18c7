package coop.sahkar.worker.agent;

import coop.sahkar.worker.engine.Rows;
import coop.sahkar.worker.engine.StageException;
import coop.sahkar.worker.gguf.Architecture;
import coop.sahkar.worker.gguf.Progress;
import coop.sahkar.worker.gguf.TensorType;
import coop.sahkar.worker.gguf.synthetic.RandomModel;
import coop.sahkar.worker.llama.LlamaLibrary;
import coop.sahkar.worker.llama.LlamaModel;
import coop.sahkar.worker.llama.LlamaStage;
import coop.sahkar.worker.llama.StageOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures how many weight bytes this machine passes per second when it decodes one token at a
 * time: that, and the bytes of a span, tell how long a stage takes. Measured once for each library
 * and number of threads, and remembered.
 */
final class SpeedProbe {
    private static final Logger LOG = LoggerFactory.getLogger(SpeedProbe.class);
    private static final int CONTEXT = 256;
    private static final int WARM_UP_TOKENS = 3;
    private static final int MAX_TOKENS = 200;
    private static final long MEASURE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    /**
     * Large enough that its weights do not stay in the processor's caches, small enough to make.
     */
    private static final RandomModel MODEL =
            new RandomModel(
                    Architecture.LLAMA,
                    2,
                    2048,
                    32,
                    8,
                    64,
                    5632,
                    512,
                    CONTEXT,
                    0,
                    0,
                    TensorType.Q4_0,
                    true,
                    1);

    private final LlamaLibrary library;
    private final int threads;
    private final Path data;

    SpeedProbe(LlamaLibrary library, int threads, Path data) {
        this.library = library;
        this.threads = threads;
        this.data = data;
    }

    /**
     * The speed, measured now or earlier.
     *
     * @throws StageException if the library cannot decode at all
     */
    long bytesPerSecond() throws StageException, IOException {
        Path memo = data.resolve("speed");
        String title = library.release() + " " + threads + " ";
        if (Files.exists(memo)) {
            String text = Files.readString(memo).strip();
            if (text.startsWith(title) && text.substring(title.length()).matches("[0-9]{1,18}")) {
                return Long.parseLong(text.substring(title.length()));
            }
        }
        long speed = measure();
        Path fresh = data.resolve("speed.new");
        Files.writeString(fresh, title + speed + "\n");
        Files.move(fresh, memo, StandardCopyOption.REPLACE_EXISTING);
        return speed;
    }

    private long measure() throws StageException, IOException {
        long began = System.nanoTime();
        Path file = data.resolve("speed-probe.gguf");
        try {
            MODEL.write(file, Progress.NONE);
            StageOptions options =
                    new StageOptions(threads, CONTEXT, 1, 1, StageOptions.KvType.F16);
            try (LlamaModel model = LlamaModel.load(library, file, 0);
                    LlamaStage stage = model.openWhole(options)) {
                long speed = decode(stage, Files.size(file));
                LOG.debug(
                        "decodes {} MB/s, measured in {} ms",
                        speed / 1_000_000,
                        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
                return speed;
            }
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static long decode(LlamaStage stage, long bytes) throws StageException {
        try (Arena arena = Arena.ofConfined()) {
            Rows rows = new Rows(arena, 1, stage.shape().width());
            int position = 0;
            for (; position < WARM_UP_TOKENS; position++) {
                token(stage, rows, position);
            }
            long began = System.nanoTime();
            long nanos = 0;
            int counted = 0;
            while (nanos < MEASURE_NANOS && counted < MAX_TOKENS) {
                token(stage, rows, position + counted);
                counted++;
                nanos = System.nanoTime() - began;
            }
            return (long)
                    ((double) bytes * counted * TimeUnit.SECONDS.toNanos(1) / Math.max(1, nanos));
        }
    }

    private static void token(LlamaStage stage, Rows rows, int position) throws StageException {
        rows.clear();
        rows.add(position % stage.shape().vocabulary(), position, 0, true);
        stage.compute(rows);
    }
}
