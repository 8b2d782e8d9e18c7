package coop.sahkar.deploy.e2e;

import coop.sahkar.deploy.network.NetworkCommand;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A network of its own on this machine, joined to it by one cable: from inside one can dial out;
 * nobody outside reaches the loopback address that a worker in it listens on.
 */
final class PrivateNetwork implements AutoCloseable {
    private static final String OUTSIDE = "10.77.31.1";
    private static final String INSIDE = "10.77.31.2";

    private final String name;

    private PrivateNetwork(String name) {
        this.name = name;
    }

    /** Whether this process may make networks: as root, with iproute2 there. */
    static boolean possible() {
        try (PrivateNetwork ignored = new PrivateNetwork("skprobe")) {
            NetworkCommand.run("ip", "netns", "add", ignored.name);
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
        NetworkCommand.run("ip", "netns", "add", name);
        NetworkCommand.run("ip", "link", "add", cable, "type", "veth", "peer", "name", inner);
        NetworkCommand.run("ip", "link", "set", inner, "netns", name);
        NetworkCommand.run("ip", "addr", "add", OUTSIDE + "/30", "dev", cable);
        NetworkCommand.run("ip", "link", "set", cable, "up");
        NetworkCommand.run("ip", "-n", name, "addr", "add", INSIDE + "/30", "dev", inner);
        NetworkCommand.run("ip", "-n", name, "link", "set", inner, "up");
        NetworkCommand.run("ip", "-n", name, "link", "set", "lo", "up");
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
        NetworkCommand.run("ip", "-n", name, "link", "set", name + "i", "down");
    }

    @Override
    public void close() {
        try {
            NetworkCommand.run("ip", "netns", "del", name);
        } catch (IOException e) {
            System.err.println("a network is left behind: " + e.getMessage());
        }
    }
}
