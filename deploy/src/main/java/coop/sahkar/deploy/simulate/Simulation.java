package coop.sahkar.deploy.simulate;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Runs one scenario. */
public final class Simulation {
    private static final int LINES_SHOWN = 60;

    private Simulation() {}

    /**
     * Runs it from beginning to end, in virtual time and as fast as this machine can.
     *
     * @param reader hears every line of the trace as it comes
     * @throws SimulationFailure if something came about that must never be; the message has the
     *     seed, what it was, and what led to it
     */
    public static SimulationReport run(Scenario scenario, Consumer<String> reader) {
        return run(scenario, reader, Planning::production, Carrier.HONEST);
    }

    /**
     * The same with other plans than those of production, or with messages that are spoiled: that
     * must be noticed.
     *
     * @param planning what a coordinator that starts decides with
     * @param carrier what becomes of messages between stages
     */
    static SimulationReport run(
            Scenario scenario,
            Consumer<String> reader,
            Supplier<Planning> planning,
            Carrier carrier) {
        long began = System.nanoTime();
        World world = new World(scenario, reader, planning, carrier);
        try {
            world.run();
        } catch (RuntimeException broken) {
            throw new SimulationFailure(message(scenario, world, broken), broken);
        }
        return SimulationReport.of(world, System.nanoTime() - began);
    }

    private static String message(Scenario scenario, World world, RuntimeException broken) {
        List<String> lines = world.trace().lines();
        List<String> last = lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size());
        String what =
                broken instanceof Violation
                        ? String.valueOf(broken.getMessage())
                        : broken.toString();
        return "seed %d, after %.3f simulated seconds: %s%n%s%nwhat led to it:%n%s"
                .formatted(
                        scenario.seed(),
                        world.simulatedSeconds(),
                        what,
                        scenario,
                        String.join(System.lineSeparator(), last));
    }
}
