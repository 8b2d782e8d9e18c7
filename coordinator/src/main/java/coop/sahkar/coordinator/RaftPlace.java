package coop.sahkar.coordinator;

import coop.sahkar.coordinator.raft.RaftNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;

/** Works out a coordinator's place among those that share its log. */
final class RaftPlace {
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

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new CoordinatorException("no port is free on this machine", e);
        }
    }
}
