package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was measured; speeds in tokens per second, medians over the rounds.
 *
 * @param plan what was asked for
 * @param machine cores and processor
 * @param library the llama.cpp that computed
 * @param promptTokens tokens of the long prompt
 * @param whole the whole model in one process
 * @param chain the chain of workers
 * @param partsDecode what the parts of the chain decode in one process, on a thread for each: the
 *     ceiling of any chain on these processors
 * @param single one session after the other through the chain, with a short prompt
 * @param together all sessions at once
 * @param stages what the workers measured, in the order of the chain
 * @param workers memory of each worker
 */
public record BenchReport(
        BenchPlan plan,
        Machine machine,
        String library,
        int promptTokens,
        Speed whole,
        Speed chain,
        double partsDecode,
        double single,
        double together,
        List<StagePace> stages,
        List<WorkerMemory> workers) {

    /**
     * What one worker measured of sessions that had the chain for themselves; medians of its latest
     * 256 tokens, in microseconds.
     *
     * @param id the worker
     * @param firstBlock of its span
     * @param decodeMicros computing a token (llama_decode)
     * @param tokenMicros from the beginning of one computation to that of the next: once round
     * @param innerMicros of a token's time in the worker outside computing
     */
    public record StagePace(
            String id, int firstBlock, int decodeMicros, int tokenMicros, int innerMicros) {}

    /**
     * Where it ran.
     *
     * @param cores processors the JVM sees
     * @param processor its name, where the system tells
     * @param loadBefore load average before the first measurement
     */
    public record Machine(int cores, String processor, double loadBefore) {}

    /**
     * One worker's memory.
     *
     * @param id the worker
     * @param shardBytes bytes of its shard
     * @param kvBytes bytes of its KV
     * @param residentBytes what the system says it holds, after all measurements; 0 when unknown
     */
    public record WorkerMemory(String id, long shardBytes, long kvBytes, long residentBytes) {}

    /**
     * What passes per stage and token outside {@code llama_decode}: engine, link, network, and
     * everything the head and the tail do about a token. Measured in the workers.
     */
    private double outsideMicros() {
        if (stages.isEmpty()) {
            return Double.NaN;
        }
        int computing = stages.stream().mapToInt(StagePace::decodeMicros).sum();
        return (stages.getFirst().tokenMicros() - computing) / (double) stages.size();
    }

    /** What each stage of the chain adds to one token's time, slower computing included. */
    private double hopMicros() {
        return (1e6 / chain.decode() - 1e6 / whole.decode()) / plan.stages();
    }

    /** For people. */
    public String table() {
        Table table = new Table("", "one process", "chain", "ratio");
        table.row(
                "decode, tok/s",
                f(whole.decode()),
                f(chain.decode()),
                ratio(chain.decode(), whole.decode()));
        table.row(
                "the same in memory, tok/s",
                f(whole.decode()),
                f(partsDecode),
                ratio(partsDecode, whole.decode()));
        table.row(
                "prefill of %d tokens, tok/s".formatted(promptTokens),
                f(whole.prefill()),
                f(chain.prefill()),
                ratio(chain.prefill(), whole.prefill()));
        Table many = new Table("", "1 session", plan.sessions() + " sessions", "ratio");
        many.row("chain, tok/s", f(single), f(together), ratio(together, single));
        Table memory = new Table("worker", "shard MB", "KV MB", "resident MB", "beyond both MB");
        for (WorkerMemory worker : workers) {
            long beyond = worker.residentBytes() - worker.shardBytes() - worker.kvBytes();
            memory.row(
                    worker.id(),
                    mb(worker.shardBytes()),
                    mb(worker.kvBytes()),
                    mb(worker.residentBytes()),
                    mb(beyond));
        }
        return """
        %s, %d workers x %d thread(s) on loopback, beside one process x %d thread(s); llama.cpp %s
        %d cores (%s), load before: %.2f; medians of %d rounds

        %s
        each stage adds %.0f us to a token: %.0f us outside llama_decode, the rest in it
        a token takes %s us round the chain; llama_decode takes %s us of it

        %s
        %s\
        """
                .formatted(
                        plan.shape(),
                        plan.stages(),
                        plan.threads(),
                        plan.threads(),
                        library,
                        machine.cores(),
                        machine.processor(),
                        machine.loadBefore(),
                        plan.rounds(),
                        table,
                        hopMicros(),
                        outsideMicros(),
                        stages.isEmpty() ? "?" : stages.getFirst().tokenMicros(),
                        String.join(
                                " + ", stages.stream().map(s -> "" + s.decodeMicros()).toList()),
                        many,
                        memory);
    }

    /** For programs. */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("plan", plan);
        values.put("machine", machine);
        values.put("library", library);
        values.put("prompt_tokens", promptTokens);
        values.put("whole_decode", whole.decode());
        values.put("whole_prefill", whole.prefill());
        values.put("chain_decode", chain.decode());
        values.put("chain_prefill", chain.prefill());
        values.put("parts_decode", partsDecode);
        values.put("parts_ratio", partsDecode / whole.decode());
        values.put("decode_ratio", chain.decode() / whole.decode());
        values.put("prefill_ratio", chain.prefill() / whole.prefill());
        values.put("single", single);
        values.put("together", together);
        values.put("together_ratio", together / single);
        values.put("hop_micros", hopMicros());
        values.put("outside_decode_micros", outsideMicros());
        values.put("stages", stages);
        values.put("workers", workers);
        return values;
    }

    private static String f(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String ratio(double part, double whole) {
        return String.format(Locale.ROOT, "%.2f", part / whole);
    }

    private static String mb(long bytes) {
        return String.format(Locale.ROOT, "%.0f", bytes / 1e6);
    }
}
