package coop.sahkar.deploy.simulate;

import java.util.ArrayList;
import java.util.List;

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
        if (worker != null) {
            boolean leaves = chance.happens(0.5);
            tell(worker.id, leaves ? "leaves for good" : "dies for good");
            world.disturbed(worker);
            if (leaves && worker.up() && !worker.asleep()) {
                worker.leave();
            } else {
                worker.crash(chance.happens(0.5));
                world.remove(worker);
            }
        }
        world.agenda().after(chance.between(1, 5000), () -> world.join(0));
    }

    private void strike() {
        int kind = chance.below(9);
        if (kind >= 7) {
            coordinator(kind == 7);
            return;
        }
        VirtualWorker worker = world.anyWorker(chance);
        if (worker == null || !worker.up() || worker.asleep()) {
            return;
        }
        world.disturbed(worker);
        switch (kind) {
            case 0, 1 -> crash(worker, kind == 0);
            case 2 -> stall(worker);
            case 3 -> oneWay(worker);
            case 4 -> partition();
            case 5 -> slow(worker);
            default -> world.generations().cutOne(chance);
        }
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
                () ->
                        apart.forEach(worker ->
                                change(
                                        worker,
                                        () ->
                                                worker.paths()
                                                        .forEach(path -> {
                                                            path.healUp();
                                                            path.healDown();
                                                        }))));
    }

    private static void change(VirtualWorker worker, Runnable what) {
        boolean took = worker.takesPart();
        what.run();
        worker.recount(took);
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
