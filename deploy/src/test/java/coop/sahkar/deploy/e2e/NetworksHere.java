package coop.sahkar.deploy.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.deploy.network.SmallInternet;
import java.util.Optional;

/** For tests that make networks of their own. */
public final class NetworksHere {
    private NetworksHere() {}

    /**
     * Skips a test, aloud, where no networks can be made.
     *
     * @param what is not tested then
     */
    public static void orSkip(String what) {
        Optional<String> obstacle = SmallInternet.obstacle();
        assumeTrue(
                obstacle.isEmpty(),
                () ->
                        "NOT TESTED: %s, which need root, iproute2 and iptables: %s"
                                .formatted(what, obstacle.orElseThrow()));
    }
}
