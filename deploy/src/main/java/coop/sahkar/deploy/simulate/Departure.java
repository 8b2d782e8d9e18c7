package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.agent.Desired;

/**
 * How a worker leaves: what it serves it serves on as long as the pool wants that here, and it goes
 * with its last shard, or when its time is up. The rules are those of the worker's {@code Leave}.
 */
final class Departure {
    /** It waits no longer for its sessions to go; as {@code --drain-timeout}. */
    private static final long MOST_MILLIS = 60_000;

    /** Of that, what is kept for handing over what the pool has not let go of. */
    private static final long HANDING_OVER_MILLIS = 10_000;

    private static final long LOOK_MILLIS = 500;

    private final VirtualWorker worker;
    private final World world;
    private boolean begun;
    private boolean letGo;
    private long beganMillis;

    Departure(VirtualWorker worker, World world) {
        this.worker = worker;
        this.world = world;
    }

    void begin() {
        begun = true;
        beganMillis = world.nowMillis();
    }

    boolean begun() {
        return begun;
    }

    /** Looks at the time, again and again until the worker has gone. */
    void look() {
        if (!begun || !world.has(worker)) {
            return;
        }
        long millis = world.nowMillis() - beganMillis;
        if (millis >= MOST_MILLIS) {
            world.trace().say(worker.id, "waits for its sessions no longer");
            gone();
            return;
        }
        boolean patient = millis < MOST_MILLIS - HANDING_OVER_MILLIS;
        if (!letGo && !(patient && worker.control().attached())) {
            letGo = true;
            worker.letGo();
        }
        worker.later(LOOK_MILLIS, this::look);
    }

    /** One that leaves begins nothing any more. */
    Desired served(Desired all) {
        return new Desired(
                all.generation(),
                all.shards().stream()
                        .filter(wish -> {
                            VirtualShard here = worker.shard(wish.key());
                            return here != null && here.serving();
                        })
                        .toList());
    }

    void gone() {
        world.tally().left(world.nowMillis() - beganMillis, worker.shards().isEmpty());
        world.remove(worker);
    }
}
