package coop.sahkar.deploy.simulate;

/** A simulated pool did what it must never do. */
public final class SimulationFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    SimulationFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
