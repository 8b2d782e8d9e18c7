package coop.sahkar.deploy.bench;

import coop.sahkar.deploy.terminal.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was measured; speeds in tokens per second.
 *
 * @param plan what was asked for
 * @param machine cores and processor
 * @param library the llama.cpp that computed
 * @param promptTokens tokens of the long prompt
 * @param decode the whole model in one process, and the chain of workers
 * @param inMemory the whole model in one process, and the parts of the chain in one process, on a
 *     thread for each: the ceiling of any chain on these processors
 * @param prefill the whole model in one process, and the chain
 * @param sessions one session with a short prompt through the chain, and all sessions at once
 * @param stages what the workers measured, in the order of the chain
 * @param workers memory of each worker
 */
public record BenchReport(
        BenchPlan plan,
        Machine machine,
        String library,
        int promptTokens,
        Paired decode,
        Paired inMemory,
        Paired prefill,
        Paired sessions,
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
     * @param outsideMicros of that time, what no stage computed; the head's only
     * @param innerMicros of a token's time in the worker outside computing
     */
    public record StagePace(
            String id,
            int firstBlock,
            int decodeMicros,
            int tokenMicros,
            int outsideMicros,
            int innerMicros) {}

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
     * everything the head and the tail do about a token; the median. The head measures it, token by
     * token.
     */
    private double outsideMicros() {
        if (stages.isEmpty()) {
            return Double.NaN;
        }
        return stages.getFirst().outsideMicros() / (double) stages.size();
    }

    /** What each stage of the chain adds to one token's time, slower computing included. */
    private double hopMicros() {
        return 1e6 / decode.otherMedian() * (1 - decode.ratio()) / plan.stages();
    }

    /** For people. */
    public String table() {
        Table table = new Table("", "one process", "chain", "ratio", "middle half", "pairs");
        table.row(decode.cells("decode, tok/s"));
        table.row(inMemory.cells("the same in memory, tok/s"));
        table.row(prefill.cells("prefill of %d tokens, tok/s".formatted(promptTokens)));
        Table many =
                new Table(
                        "",
                        "1 session",
                        plan.sessions() + " sessions",
                        "ratio",
                        "middle half",
                        "pairs");
        many.row(sessions.cells("chain, tok/s"));
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
        %d cores (%s), load before: %.2f; medians, measured in turns

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
        values.put("decode", decode.values());
        values.put("in_memory", inMemory.values());
        values.put("prefill", prefill.values());
        values.put("sessions", sessions.values());
        values.put("hop_micros", hopMicros());
        values.put("outside_decode_micros", outsideMicros());
        values.put("stages", stages);
        values.put("workers", workers);
        return values;
    }

    private static String mb(long bytes) {
        return String.format(Locale.ROOT, "%.0f", bytes / 1e6);
    }
}
