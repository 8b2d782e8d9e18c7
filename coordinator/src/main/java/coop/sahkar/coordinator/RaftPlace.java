package coop.sahkar.coordinator;

import coop.sahkar.coordinator.raft.RaftNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;

/** Works out a coordinator's place among its peers from its options. */
final class RaftPlace {
    private RaftPlace() {}

    static RaftNode of(CoordinatorOptions options) {
        if (!options.id().matches("[A-Za-z0-9._-]{1,64}")) {
            throw new CoordinatorException(
                    ("a coordinator's id takes 1 to 64 letters, digits, dots, dashes and "
                                    + "underscores, not \"%s\"")
                            .formatted(options.id()));
        }
        if (options.peers().isEmpty()) {
            int port = options.raftPort() > 0 ? options.raftPort() : freePort();
            RaftNode.Address self = new RaftNode.Address(options.id(), options.raftHost(), port);
            return new RaftNode(self, List.of(self));
        }
        List<RaftNode.Address> all =
                options.peers().stream()
                        .map(p -> new RaftNode.Address(p.id(), p.raftHost(), p.raftPort()))
                        .toList();
        RaftNode.Address self =
                all.stream()
                        .filter(a -> a.id().equals(options.id()))
                        .findFirst()
                        .orElseThrow(() ->
                                new CoordinatorException(
                                        "the peers must name this coordinator, %s, too"
                                                .formatted(options.id())));
        return new RaftNode(self, all);
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new CoordinatorException("no port is free on this machine", e);
        }
    }
}
