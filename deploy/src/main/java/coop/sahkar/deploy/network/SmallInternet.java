package coop.sahkar.deploy.network;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Several machines made out of this one: each has a network namespace of its own and a cable to one
 * bridge, on which this process has an address, too. Cables can be pulled, and what one machine
 * sends to another can be made to vanish.
 */
public final class SmallInternet implements AutoCloseable {
    private static final int FIRST_HOST = 10;

    /** The kernel takes its time to remove a network: names are used once. */
    private static final AtomicInteger MADE = new AtomicInteger();

    private final String name =
            "sk%dn%d".formatted(ProcessHandle.current().pid(), MADE.incrementAndGet());
    private final String bridge = name + "b";
    private final String subnet;
    private final Map<String, Integer> hosts = new LinkedHashMap<>();
    private final Set<String> pulled = new LinkedHashSet<>();
    private final Set<String> discarding = new LinkedHashSet<>();

    private SmallInternet() {
        long pid = ProcessHandle.current().pid(); // two runs may share a machine
        this.subnet = "10.%d.%d.".formatted(64 + pid / 256 % 64, pid % 256);
    }

    /**
     * Why this process may not make one; empty if it may. It has to be root, with iproute2 and
     * iptables there.
     */
    public static Optional<String> obstacle() {
        try (SmallInternet probe = create()) {
            probe.join("a");
            probe.join("b");
            probe.drop("a", "b");
            NetworkCommand.run(probe.inside("a", List.of("true")));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** A bridge with nobody but this process on it. */
    public static SmallInternet create() throws IOException {
        SmallInternet internet = new SmallInternet();
        try {
            NetworkCommand.run("ip", "link", "add", internet.bridge, "type", "bridge");
            NetworkCommand.run(
                    "ip", "addr", "add", internet.here() + "/24", "dev", internet.bridge);
            NetworkCommand.run("ip", "link", "set", internet.bridge, "up");
            return internet;
        } catch (IOException e) {
            internet.close();
            throw e;
        }
    }

    /** This process's address, as all machines see it. */
    public String here() {
        return subnet + 1;
    }

    /** Adds a machine. */
    public void join(String id) throws IOException {
        int host = FIRST_HOST + hosts.size();
        hosts.put(id, host);
        String inner = inner(id);
        String outer = outer(id);
        NetworkCommand.run("ip", "netns", "add", namespace(id));
        NetworkCommand.run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner);
        NetworkCommand.run("ip", "link", "set", inner, "netns", namespace(id));
        NetworkCommand.run("ip", "link", "set", outer, "master", bridge, "up");
        within(id, "addr", "add", address(id) + "/24", "dev", inner);
        within(id, "link", "set", inner, "up");
        within(id, "link", "set", "lo", "up");
    }

    /** A machine's address. */
    public String address(String id) {
        return subnet + host(id);
    }

    /** The command that runs another on a machine. */
    public List<String> inside(String id, List<String> command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace(id)));
        all.addAll(command);
        return all;
    }

    /** Pulls a machine's cable: what it sends and what is sent to it is lost. */
    public void pull(String id) throws IOException {
        within(id, "link", "set", inner(id), "down");
        pulled.add(id);
    }

    /** From now on what one machine sends to another is lost; the way back stays. */
    public void drop(String from, String to) throws IOException {
        discard(to, "INPUT", "-s", address(from));
    }

    /** The same for what this process sends to a machine. */
    public void dropFromHere(String to) throws IOException {
        discard(to, "INPUT", "-s", here());
    }

    /** The same for what a machine sends to this process. */
    public void dropToHere(String from) throws IOException {
        discard(from, "OUTPUT", "-d", here());
    }

    private void discard(String at, String chain, String end, String address) throws IOException {
        List<String> rule = List.of("iptables", "-A", chain, end, address, "-j", "DROP");
        NetworkCommand.run(inside(at, rule));
        discarding.add(at);
    }

    /** Puts all cables back and lets everything through. */
    public void heal() throws IOException {
        for (String id : discarding) {
            List<String> rule = List.of("iptables", "-F");
            NetworkCommand.run(inside(id, rule));
        }
        for (String id : pulled) {
            within(id, "link", "set", inner(id), "up");
        }
        discarding.clear();
        pulled.clear();
    }

    private void within(String id, String... rest) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip", "-n", namespace(id)));
        command.addAll(List.of(rest));
        NetworkCommand.run(command);
    }

    private int host(String id) {
        return Objects.requireNonNull(hosts.get(id), id);
    }

    private String namespace(String id) {
        return name + "-" + host(id);
    }

    private String inner(String id) {
        return name + "i" + host(id);
    }

    private String outer(String id) {
        return name + "o" + host(id);
    }

    @Override
    public void close() {
        for (String id : hosts.keySet()) {
            end("ip", "link", "del", outer(id));
            end("ip", "netns", "del", namespace(id));
        }
        end("ip", "link", "del", bridge);
    }

    private static void end(String... command) {
        try {
            NetworkCommand.run(command);
        } catch (IOException e) {
            System.err.println("a network is left behind: " + e.getMessage());
        }
    }
}
