package coop.sahkar.deploy.e2e;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A network of its own on this machine, joined to it by one cable: from inside one can dial out;
 * nobody outside reaches the loopback address that a worker in it listens on.
 */
final class PrivateNetwork implements AutoCloseable {
    private static final String OUTSIDE = "10.77.31.1";
    private static final String INSIDE = "10.77.31.2";
    private static final int SECONDS = 10;

    private final String name;

    private PrivateNetwork(String name) {
        this.name = name;
    }

    /** Whether this process may make networks: as root, with iproute2 there. */
    static boolean possible() {
        try (PrivateNetwork ignored = new PrivateNetwork("skprobe")) {
            run("ip", "netns", "add", ignored.name);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    static PrivateNetwork create() throws IOException {
        PrivateNetwork network = new PrivateNetwork("sk" + ProcessHandle.current().pid());
        try {
            network.build();
            return network;
        } catch (IOException e) {
            network.close();
            throw e;
        }
    }

    private void build() throws IOException {
        String cable = name + "o";
        String inner = name + "i";
        run("ip", "netns", "add", name);
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", inner);
        run("ip", "link", "set", inner, "netns", name);
        run("ip", "addr", "add", OUTSIDE + "/30", "dev", cable);
        run("ip", "link", "set", cable, "up");
        run("ip", "-n", name, "addr", "add", INSIDE + "/30", "dev", inner);
        run("ip", "-n", name, "link", "set", inner, "up");
        run("ip", "-n", name, "link", "set", "lo", "up");
    }

    /** This machine as it is seen from inside. */
    static String outside() {
        return OUTSIDE;
    }

    /** The command that runs another inside. */
    List<String> inside(List<String> command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(command);
        return all;
    }

    /** Pulls the cable inside: what is sent is lost, and nobody is told. */
    void cut() throws IOException {
        run("ip", "-n", name, "link", "set", name + "i", "down");
    }

    /** Runs a command that changes networks; it must succeed. */
    static void run(String... command) throws IOException {
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(String.join(" ", command) + " failed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        try {
            run("ip", "netns", "del", name);
        } catch (IOException e) {
            System.err.println("a network is left behind: " + e.getMessage());
        }
    }
}
