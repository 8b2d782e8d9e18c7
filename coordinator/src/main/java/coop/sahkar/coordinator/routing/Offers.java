package coop.sahkar.coordinator.routing;

import coop.sahkar.coordinator.liveness.ShardStatus;
import coop.sahkar.coordinator.liveness.WorkerPresence;
import coop.sahkar.coordinator.liveness.WorkerPresence.Reach;
import coop.sahkar.coordinator.liveness.WorkerPresence.Standing;
import coop.sahkar.coordinator.state.ModelRecord;
import coop.sahkar.coordinator.state.PoolState;
import coop.sahkar.coordinator.state.WorkerRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/** What the workers that are here offer for one model. Pure. */
final class Offers {
    private static final long UNMEASURED_BYTES_PER_SECOND = 4_000_000_000L;

    private Offers() {}

    static List<StageOffer> of(
            PoolState state, ModelRecord model, SortedMap<String, WorkerPresence> presence) {
        List<StageOffer> offers = new ArrayList<>();
        for (WorkerPresence here : presence.values()) {
            if (here.reach() == Reach.TESTING || here.reach() == Reach.UNREACHABLE) {
                continue;
            }
            WorkerRecord worker = state.workers().get(here.workerId());
            for (ShardStatus shard : here.shards()) {
                boolean fits =
                        shard.serving()
                                && shard.modelId().equals(model.id())
                                && shard.span().end() <= model.manifest().blockCount();
                if (worker != null && fits) {
                    offers.add(offer(worker, model, here, shard));
                }
            }
        }
        return offers;
    }

    /** Those of workers that are not about to leave; sessions had better go there. */
    static List<StageOffer> staying(
            List<StageOffer> offers, SortedMap<String, WorkerPresence> presence) {
        return offers.stream()
                .filter(offer -> {
                    WorkerPresence worker = presence.get(offer.workerId());
                    return worker == null || worker.standing() != Standing.LEAVING;
                })
                .toList();
    }

    private static StageOffer offer(
            WorkerRecord worker, ModelRecord model, WorkerPresence here, ShardStatus shard) {
        return new StageOffer(
                worker.id(),
                here.reach() == Reach.RELAYED ? here.relayEndpoint() : worker.endpoint(),
                shard.span(),
                computeMicros(worker, model, shard),
                shard.kvCells(),
                freePositions(here, shard),
                Math.max(0, shard.sessions() + here.unreported(model.id()).sessions()),
                shard.queuedRows());
    }

    private static long computeMicros(WorkerRecord worker, ModelRecord model, ShardStatus shard) {
        if (shard.decodeMicros() > 0) {
            return shard.decodeMicros();
        }
        long speed =
                worker.decodeBytesPerSecond() > 0
                        ? worker.decodeBytesPerSecond()
                        : UNMEASURED_BYTES_PER_SECOND;
        return (long) (1e6 * model.footprint().decodeBytes(shard.span()) / speed);
    }

    private static long freePositions(WorkerPresence here, ShardStatus shard) {
        if (shard.kvCells() <= 0) {
            return StageOffer.UNKNOWN;
        }
        long reserved = shard.kvReserved() + here.unreported(shard.modelId()).positions();
        return Math.clamp(shard.kvCells() - reserved, 0, shard.kvCells());
    }
}
