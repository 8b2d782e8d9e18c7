package coop.sahkar.deploy.simulate;

import coop.sahkar.coordinator.routing.RouteAnswer;
import coop.sahkar.proto.Problem;
import coop.sahkar.proto.RouteStage;
import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.store.ShardKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Questions and their answers, by counts: each draws a route from a coordinator, reserves positions
 * in its stages, and commits tokens as fast as the stages and the network between them allow. One
 * whose stage is lost draws another route and goes on with what is committed.
 */
final class Generations {
    /** How long a generation looks for another route before it fails. */
    static final long PATIENCE_MILLIS = 20_000;

    private static final long AGAIN_MILLIS = 500;
    private static final long HOP_MICROS = 15_000;

    private final World world;
    private final Chance chance;
    private long changes;
    private final Map<SessionId, Generation> running = new LinkedHashMap<>();

    /** One answer under way. */
    static final class Generation {
        final String modelId;
        final int wanted;
        final int positions;
        final TreeSet<String> lost = new TreeSet<>();
        @Nullable Ticket ticket;
        int epoch;
        int committed;
        int part;
        long partBeganMillis;
        long tokenMicros;
        long brokenSinceMillis;
        int repairs;

        Generation(String modelId, int wanted, int positions, long nowMillis) {
            this.modelId = modelId;
            this.wanted = wanted;
            this.positions = positions;
            this.brokenSinceMillis = nowMillis;
        }
    }

    Generations(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
    }

    /** How often anything changed here. */
    long changes() {
        return changes;
    }

    Map<SessionId, Generation> running() {
        return running;
    }

    /** Somebody asks something. */
    void ask(String modelId) {
        int prompt = (int) chance.spread(10, 1500);
        int answer = (int) chance.spread(5, 150);
        Generation generation = new Generation(modelId, answer, prompt + answer, world.nowMillis());
        world.tally().asked(answer);
        VirtualCoordinator gateway = world.anyCoordinator(chance);
        if (gateway == null) {
            world.tally().refused(Problem.Kind.NOT_LEADER);
            return;
        }
        switch (gateway.desk().draw(modelId, generation.positions, Set.of(), null, 0)) {
            case RouteAnswer.None none -> world.tally().refused(none.problem().kind());
            case RouteAnswer.Found found -> {
                SessionId id = found.route().ticket().ticket().session();
                if (running.put(id, generation) != null) {
                    throw new Violation("two generations are called " + id);
                }
                open(id, generation, found.route().ticket().ticket());
            }
        }
    }

    private void open(SessionId id, Generation generation, Ticket ticket) {
        changes++;
        if (ticket.epoch() <= generation.epoch) {
            throw new Violation(
                    "a route of epoch %d came after one of epoch %d"
                            .formatted(ticket.epoch(), generation.epoch));
        }
        generation.epoch = ticket.epoch();
        List<VirtualShard> opened = new ArrayList<>();
        long micros = 0;
        for (RouteStage stage : ticket.stages()) {
            VirtualShard shard = admit(id, generation, ticket, stage);
            if (shard == null) {
                opened.forEach(s -> s.reserved.remove(id));
                generation.lost.add(stage.workerId());
                again(id, generation);
                return;
            }
            opened.add(shard);
            micros += HOP_MICROS + shard.decodeMicros;
        }
        generation.ticket = ticket;
        generation.tokenMicros = micros;
        generation.partBeganMillis = world.nowMillis();
        if (generation.part > 0) {
            world.tally().repaired(world.nowMillis() - generation.brokenSinceMillis);
        }
        int part = ++generation.part;
        long millis = 1 + (generation.wanted - generation.committed) * micros / 1000;
        world.agenda().after(millis, () -> finish(id, part));
    }

    /** The stage's shard, with room reserved; null if it does not let the session in. */
    private @Nullable VirtualShard admit(
            SessionId id, Generation generation, Ticket ticket, RouteStage stage) {
        VirtualWorker worker = world.worker(stage.workerId());
        if (worker == null || !worker.up() || worker.asleep()) {
            return null;
        }
        VirtualShard shard = worker.shard(new ShardKey(ticket.modelId(), stage.span()));
        boolean fits =
                shard != null
                        && shard.serving()
                        && shard.reservedPositions() + generation.positions <= shard.kvCells;
        if (shard == null || !fits) {
            return null;
        }
        if (shard.reserved.put(id, generation.positions) != null) {
            throw new Violation("session %s is twice in %s".formatted(id, shard.named()));
        }
        return shard;
    }

    private void finish(SessionId id, int part) {
        Generation generation = running.get(id);
        if (generation != null && generation.ticket != null && generation.part == part) {
            commit(generation, generation.wanted);
            close(id, generation);
            running.remove(id);
            world.tally().finished(generation.repairs > 0);
        }
    }

    private void commit(Generation generation, int tokens) {
        if (tokens < generation.committed || tokens > generation.wanted) {
            throw new Violation(
                    "%d tokens were committed, now there are %d"
                            .formatted(generation.committed, tokens));
        }
        world.tally().served(tokens - generation.committed);
        generation.committed = tokens;
    }

    /** A stage is gone; its sessions notice, at once if their connections were closed. */
    void stageEnded(VirtualShard shard, boolean closed) {
        List<SessionId> ids = List.copyOf(shard.reserved.keySet());
        shard.reserved.clear();
        for (SessionId id : ids) {
            Generation generation = running.get(id);
            if (generation != null && generation.ticket != null) {
                halt(id, generation, shard.key, closed);
            }
        }
    }

    /** The link between two stages of some generation is cut: it notices, and avoids the second. */
    void cutOne(Chance which) {
        List<SessionId> ids = List.copyOf(running.keySet());
        if (ids.isEmpty()) {
            return;
        }
        SessionId id = which.pick(ids);
        Generation generation = running.get(id);
        if (generation != null && generation.ticket != null) {
            RouteStage behind = generation.ticket.tail();
            halt(id, generation, new ShardKey(generation.modelId, behind.span()), false);
        }
    }

    private void halt(SessionId id, Generation generation, ShardKey stage, boolean closed) {
        Ticket ticket = generation.ticket;
        if (ticket == null) {
            return;
        }
        long ran = world.nowMillis() - generation.partBeganMillis;
        long tokens = generation.committed + ran * 1000 / generation.tokenMicros;
        commit(generation, (int) Math.min(generation.wanted, tokens));
        ticket.stages().stream()
                .filter(s -> s.span().equals(stage.span()))
                .forEach(s -> generation.lost.add(s.workerId()));
        generation.brokenSinceMillis = world.nowMillis();
        generation.repairs++;
        close(id, generation);
        long detection = closed ? chance.between(1, 100) : chance.between(300, 2500);
        world.agenda().after(detection, () -> repair(id));
    }

    private void close(SessionId id, Generation generation) {
        Ticket ticket = generation.ticket;
        if (ticket == null) {
            return;
        }
        changes++;
        generation.ticket = null;
        for (RouteStage stage : ticket.stages()) {
            VirtualWorker worker = world.worker(stage.workerId());
            VirtualShard shard =
                    worker == null
                            ? null
                            : worker.shard(new ShardKey(ticket.modelId(), stage.span()));
            if (worker != null && shard != null) {
                worker.release(shard, id);
            }
        }
        VirtualCoordinator gateway = world.anyCoordinator(chance);
        if (gateway != null) {
            gateway.desk().release(ticket);
        }
    }

    private void again(SessionId id, Generation generation) {
        if (world.nowMillis() - generation.brokenSinceMillis >= PATIENCE_MILLIS) {
            running.remove(id);
            world.tally().failed(Problem.Kind.WORKER_LOST);
        } else {
            world.agenda().after(AGAIN_MILLIS, () -> repair(id));
        }
    }

    private void repair(SessionId id) {
        Generation generation = running.get(id);
        if (generation == null || generation.ticket != null) {
            return;
        }
        VirtualCoordinator gateway = world.anyCoordinator(chance);
        if (gateway == null) {
            again(id, generation);
            return;
        }
        // Whoever was lost long ago may be back.
        Set<String> avoid = chance.happens(0.2) ? new TreeSet<>() : generation.lost;
        switch (gateway.desk()
                .draw(generation.modelId, generation.positions, avoid, id, generation.epoch)) {
            case RouteAnswer.None none -> again(id, generation);
            case RouteAnswer.Found found -> open(id, generation, found.route().ticket().ticket());
        }
    }
}
