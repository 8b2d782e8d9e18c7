package coop.sahkar.deploy.simulate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What goes wrong: workers that come and go, die, stop, or slow down; networks that fall apart,
 * also in one direction; coordinators that restart or hear nobody. Each trouble passes by itself,
 * or when the world is healed.
 */
final class Troubles {
    private final World world;
    private final Chance chance;
    private final List<Passing> passing = new ArrayList<>();
    private boolean over;
    private int partitions;

    /** A trouble that can be undone once. */
    private static final class Passing {
        private final Runnable undo;
        private boolean done;

        Passing(Runnable undo) {
            this.undo = undo;
        }

        void pass() {
            if (!done) {
                done = true;
                undo.run();
            }
        }
    }

    Troubles(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
    }

    void start() {
        Scenario scenario = world.scenario();
        next(scenario.troublesPerMinute() / 60, this::strike);
        next(scenario.replacedPerHour() * scenario.workers() / 3600, this::replace);
    }

    /** Undoes all that still lasts; nothing goes wrong any more. */
    void heal() {
        over = true;
        List.copyOf(passing).forEach(Passing::pass);
        passing.clear();
    }

    private void next(double perSecond, Runnable what) {
        if (perSecond > 0) {
            world.agenda()
                    .after(
                            chance.untilNext(perSecond),
                            () -> {
                                if (!over) {
                                    what.run();
                                    next(perSecond, what);
                                }
                            });
        }
    }

    private void lasts(long millis, Runnable undo) {
        Passing trouble = new Passing(undo);
        passing.add(trouble);
        world.agenda()
                .after(
                        millis,
                        () -> {
                            passing.remove(trouble);
                            trouble.pass();
                        });
    }

    private void replace() {
        VirtualWorker worker = world.anyWorker(chance);
        boolean leaves = chance.happens(0.5);
        if (worker != null && leaves && worker.up() && !worker.asleep() && !worker.leaving()) {
            world.disturbed(worker);
            leave(worker);
            return;
        }
        if (worker != null) {
            tell(worker.id, "dies for good");
            world.disturbed(worker);
            worker.crash(chance.happens(0.5));
            world.remove(worker);
        }
        world.agenda().after(chance.between(1, 5000), () -> world.join(0));
    }

    /** Goes in order; another comes in its stead. */
    private void leave(VirtualWorker worker) {
        if (worker.leaving()) {
            return;
        }
        tell(worker.id, "leaves for good");
        worker.leave();
        world.agenda().after(chance.between(1, 5000), () -> world.join(0));
    }

    private void strike() {
        Answer answer = world.answers().any(chance);
        boolean aims = answer != null && chance.happens(world.scenario().aimedTroubles());
        Answer aim = aims ? answer : null;
        int kind = chance.below(aim == null ? 10 : 9);
        if (aim == null && kind >= 8) {
            coordinator(kind == 8);
            return;
        }
        VirtualWorker worker = aim == null ? world.anyWorker(chance) : workerOf(aim);
        if (worker == null || !worker.up() || worker.asleep()) {
            return;
        }
        world.disturbed(worker);
        switch (kind) {
            case 0, 1 -> crash(worker, kind == 0);
            case 2 -> stall(worker);
            case 3 -> oneWay(worker);
            case 4 -> partition();
            case 5 -> disk(worker);
            case 6 -> slowProcessor(worker);
            case 7 -> leave(worker);
            default -> link(answer);
        }
    }

    private @Nullable VirtualWorker workerOf(Answer answer) {
        List<String> route = answer.workers();
        return route.isEmpty() ? null : world.worker(chance.pick(route));
    }

    /** The link between two neighbours of some answer's route is cut one way, or breaks. */
    private void link(@Nullable Answer answer) {
        List<String> route = answer == null ? List.of() : answer.workers();
        if (route.size() < 2) {
            return;
        }
        int at = chance.below(route.size());
        VirtualWorker one = world.worker(route.get(at));
        VirtualWorker other = world.worker(route.get((at + 1) % route.size()));
        if (one == null || other == null || one == other) {
            return;
        }
        if (chance.happens(0.3)) {
            tell(one.id, "loses its link to " + other.id);
            world.ring().reset(one, other);
            return;
        }
        VirtualWorker from = chance.happens(0.7) ? one : other;
        VirtualWorker to = from == one ? other : one;
        tell(from.id, "is not heard by " + to.id);
        world.ring().cutOneWay(from, to);
        lasts(chance.spread(200, 60_000), () -> world.ring().healOneWay(from, to));
    }

    private void slowProcessor(VirtualWorker worker) {
        tell(worker.id, "computes slowly");
        worker.slowness((double) chance.spread(3, 100));
        lasts(chance.spread(2000, 60_000), () -> worker.slowness(1));
    }

    private void crash(VirtualWorker worker, boolean closing) {
        tell(worker.id, closing ? "is killed" : "loses power");
        worker.crash(closing);
        lasts(
                chance.spread(200, 60_000),
                () -> {
                    if (world.has(worker)) {
                        world.trace().say(worker.id, "is started again");
                        worker.start();
                    }
                });
    }

    private void stall(VirtualWorker worker) {
        tell(worker.id, "is stopped");
        worker.sleep();
        lasts(
                chance.spread(100, 60_000),
                () -> {
                    if (world.has(worker) && worker.asleep()) {
                        world.trace().say(worker.id, "is woken");
                        worker.wake();
                    }
                });
    }

    private void oneWay(VirtualWorker worker) {
        boolean up = chance.happens(0.5);
        ControlPath path = chance.pick(worker.paths());
        tell(worker.id, (up ? "is not heard by " : "does not hear ") + path.coordinator.id);
        change(
                worker,
                () -> {
                    if (up) {
                        path.cutUp();
                    } else {
                        path.cutDown();
                    }
                });
        lasts(
                chance.spread(200, 60_000),
                () ->
                        change(
                                worker,
                                () -> {
                                    if (up) {
                                        path.healUp();
                                    } else {
                                        path.healDown();
                                    }
                                }));
    }

    private void partition() {
        List<VirtualWorker> apart =
                world.workers().stream().filter(_ -> chance.happens(0.3)).toList();
        tell("network", "cuts off " + apart.size() + " workers");
        long bit = 1L << (partitions++ % Long.SIZE);
        apart.forEach(worker -> worker.apart(worker.apart() | bit));
        world.ring().parted();
        for (VirtualWorker worker : apart) {
            world.disturbed(worker);
            change(
                    worker,
                    () ->
                            worker.paths()
                                    .forEach(path -> {
                                        path.cutUp();
                                        path.cutDown();
                                    }));
        }
        lasts(
                chance.spread(200, 60_000),
                () -> {
                    apart.forEach(worker -> rejoins(worker, bit));
                    world.ring().parted();
                });
    }

    private static void rejoins(VirtualWorker worker, long bit) {
        worker.apart(worker.apart() & ~bit);
        change(
                worker,
                () ->
                        worker.paths()
                                .forEach(path -> {
                                    path.healUp();
                                    path.healDown();
                                }));
    }

    private static void change(VirtualWorker worker, Runnable what) {
        boolean took = worker.takesPart();
        what.run();
        worker.recount(took);
    }

    private void disk(VirtualWorker worker) {
        if (chance.happens(0.7)) {
            slow(worker);
            return;
        }
        tell(worker.id, "has a full disk");
        worker.fullDisk(true);
        lasts(chance.spread(1000, 60_000), () -> worker.fullDisk(false));
    }

    private void slow(VirtualWorker worker) {
        tell(worker.id, "has a slow disk");
        worker.slowDisk(true);
        lasts(chance.spread(5000, 120_000), () -> worker.slowDisk(false));
    }

    private void coordinator(boolean restarts) {
        VirtualCoordinator coordinator = world.anyCoordinator(chance);
        if (coordinator == null) {
            return;
        }
        world.disturbedAll();
        if (restarts) {
            tell(coordinator.id, "is restarted");
            coordinator.crash();
            lasts(
                    chance.spread(100, 20_000),
                    () -> {
                        world.disturbedAll();
                        coordinator.start();
                    });
        } else {
            tell(coordinator.id, "hears no other coordinator");
            coordinator.log().cutOff(true);
            lasts(
                    chance.spread(200, 30_000),
                    () -> {
                        world.disturbedAll();
                        coordinator.log().cutOff(false);
                    });
        }
    }

    private void tell(String who, String what) {
        world.trace().say(who, what);
        String[] words = what.split(" ", 3);
        world.tally().trouble(words.length > 1 ? words[0] + " " + words[1] : what);
    }
}
