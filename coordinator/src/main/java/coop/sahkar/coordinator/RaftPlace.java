package coop.sahkar.coordinator;

import coop.sahkar.coordinator.raft.RaftNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Works out a coordinator's place among those that share its log. */
final class RaftPlace {
    private static final int FIRST_QUIET_PORT = 12_000;
    private static final int LAST_QUIET_PORT = 30_000;
    private static final int QUIET_TRIED = 16;

    private RaftPlace() {}

    static RaftNode of(CoordinatorOptions options, DataDirectory directory) {
        Identity identity = directory.identity();
        Surroundings before =
                Surroundings.read(directory.path())
                        .orElse(new Surroundings("", !identity.joined()));
        int port = options.raftPort() > 0 ? options.raftPort() : freePort();
        RaftNode.Address self = new RaftNode.Address(options.id(), options.raftHost(), port);
        if (!before.alone() && !before.raft().isEmpty() && !before.raft().equals(self.endpoint())) {
            throw new CoordinatorException(
                    "the other coordinators reach the log of %s at %s, not at %s: start it with --raft-listen %s, or remove it and join anew"
                            .formatted(
                                    options.id(), before.raft(), self.endpoint(), before.raft()));
        }
        List<RaftNode.Address> founders = identity.joined() ? List.of() : List.of(self);
        return new RaftNode(identity.groupId(), self, founders, before.alone());
    }

    static void checkId(String id) {
        if (!id.matches("[A-Za-z0-9._-]{1,64}")) {
            throw new CoordinatorException(
                    ("a coordinator's id takes 1 to 64 letters, digits, dots, dashes and "
                                    + "underscores, not \"%s\"")
                            .formatted(id));
        }
    }

    /**
     * One that the system gives to nobody who dials, where that can be had: a log is opened there
     * several times.
     */
    static int freePort() {
        for (int i = 0; i < QUIET_TRIED; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST_QUIET_PORT, LAST_QUIET_PORT);
            if (isFree(port)) {
                return port;
            }
        }
        try {
            return bindable(0);
        } catch (IOException e) {
            throw new CoordinatorException("no port is free on this machine", e);
        }
    }

    private static boolean isFree(int port) {
        try {
            return bindable(port) == port;
        } catch (IOException e) {
            return false;
        }
    }

    private static int bindable(int port) throws IOException {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
