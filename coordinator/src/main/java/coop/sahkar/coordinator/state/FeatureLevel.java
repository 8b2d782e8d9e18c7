package coop.sahkar.coordinator.state;

/**
 * What entries of the log may ask of whoever applies them. The level is part of the replicated
 * state; the leader raises it when every coordinator knows a higher one, so that a rolling upgrade
 * never writes what an older release would misread. A coordinator that finds a level it does not
 * know applies nothing more.
 */
public final class FeatureLevel {
    /** Pools from before there were levels. */
    public static final int NONE = 0;

    /** From here on models may be given notice. 1 brought several coordinators, 2 certificates. */
    public static final int NOTICES = 3;

    /**
     * From here on the log takes changes of single settings and of parts of accounts, and barriers.
     * A setting of the policy that this release does not know needs another level: coordinators
     * must agree on which there are.
     */
    public static final int PARTS = 4;

    /** The highest level that this release knows. */
    public static final int KNOWN = PARTS;

    private FeatureLevel() {}
}
