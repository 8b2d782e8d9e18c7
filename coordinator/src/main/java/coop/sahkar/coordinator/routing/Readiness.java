package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.proto.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/**
 * Whether a model can be used now.
 *
 * @param ready whether a chain covers it
 * @param missing blocks that no worker serves
 * @param explanation what keeps it from being ready and what would help, in a sentence or two;
 *     empty when ready
 */
public record Readiness(boolean ready, List<Span> missing, String explanation) {
    private static final int MAX_EXCUSES = 3;

    public Readiness {
        missing = List.copyOf(missing);
    }

    /**
     * Looks at one model.
     *
     * @param shortfall why it cannot be placed whole; empty when it can
     */
    public static Readiness of(
            PoolState state,
            ModelRecord model,
            SortedMap<String, WorkerPresence> presence,
            String shortfall) {
        List<StageOffer> offers = Offers.of(state, model, presence);
        int blocks = model.manifest().blockCount();
        if (Router.route(blocks, offers, 0).isPresent()) {
            return new Readiness(true, List.of(), "");
        }
        List<Span> missing =
                Coverage.missing(blocks, offers.stream().map(StageOffer::span).toList());
        String name = model.manifest().name();
        String what =
                missing.isEmpty()
                        ? "%s is being rearranged among the workers.".formatted(name)
                        : "No worker serves %s of %s (%d in all)."
                                .formatted(Coverage.inWords(missing), name, blocks);
        String why = shortfall.isEmpty() ? excuses(model, presence) : shortfall;
        return new Readiness(false, missing, (what + " " + why).strip());
    }

    private static String excuses(ModelRecord model, SortedMap<String, WorkerPresence> presence) {
        List<String> excuses = new ArrayList<>();
        for (WorkerPresence worker : presence.values()) {
            for (ShardStatus shard : worker.shards()) {
                if (shard.modelId().equals(model.id()) && !shard.serving()) {
                    excuses.add(excuse(worker.workerId(), shard));
                }
            }
        }
        if (excuses.isEmpty()) {
            return "Workers are about to be told to fetch them; try again in a moment.";
        }
        return String.join(" ", excuses.subList(0, Math.min(MAX_EXCUSES, excuses.size())));
    }

    private static String excuse(String workerId, ShardStatus shard) {
        String blocks = Coverage.inWords(List.of(shard.span()));
        return switch (shard.phase()) {
            case FETCHING ->
                    "Worker %s is fetching %s (%d %%).".formatted(workerId, blocks, percent(shard));
            case LOADING -> "Worker %s is loading %s.".formatted(workerId, blocks);
            case DRAINING -> "Worker %s is giving up %s.".formatted(workerId, blocks);
            case FAILED ->
                    "Worker %s failed with %s: %s".formatted(workerId, blocks, shard.failure());
            case SERVING -> "";
        };
    }

    private static long percent(ShardStatus shard) {
        return shard.bytesTotal() <= 0
                ? 0
                : (long) (100.0 * shard.bytesDone() / shard.bytesTotal());
    }
}
