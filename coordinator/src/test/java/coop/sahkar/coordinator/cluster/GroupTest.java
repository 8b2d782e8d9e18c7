package coop.sahkar.coordinator.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.Restore;
import coop.sahkar.coordinator.Surroundings;
import coop.sahkar.coordinator.gateway.Gateway;
import coop.sahkar.coordinator.gateway.GatewayOptions;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.coordinator.state.FeatureLevel;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ClusterGrpc;
import coop.sahkar.proto.v1.GroupMember;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.RemoveRequest;
import coop.sahkar.proto.v1.TransferRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Coordinators with their gateways, one beside the other in this process. */
class GroupTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir private Path directory;
    private final SortedMap<String, Node> nodes = new TreeMap<>();

    private record Node(Coordinator coordinator, Gateway gateway) implements AutoCloseable {
        String address() {
            return "127.0.0.1:" + gateway.port();
        }

        @Override
        public void close() {
            gateway.close();
            coordinator.close();
        }
    }

    @AfterEach
    void stop() {
        nodes.values().forEach(Node::close);
    }

    @Test
    void membersJoinLeadReturnAndLeaveAndABackupIsTheSamePool() {
        start("a", "");
        start("b", node("a").address());
        start("c", node("b").address());
        await().atMost(PATIENCE).untilAsserted(this::allKnowEachOther);
        assertThatThrownBy(() -> open("b", directory.resolve("other"), node("a").address()))
                .isInstanceOf(CoordinatorException.class)
                .hasMessageContaining("choose another --id");

        GroupReply led =
                ask("c", stub -> stub.transfer(TransferRequest.newBuilder().setId("b").build()));
        assertThat(led.getLeaderId()).isEqualTo("b");

        stop("b");
        await().atMost(PATIENCE).until(() -> List.of("a", "c").contains(leader("a")));
        start("b", "");
        assertThat(members("b")).containsExactly("a", "b", "c");

        String leader = leader("a");
        String other = leader.equals("a") ? "c" : "a";
        ask(other, stub -> stub.remove(RemoveRequest.newBuilder().setId(leader).build()));
        await().atMost(PATIENCE).until(() -> node(leader).coordinator().removed().isDone());
        await().atMost(PATIENCE)
                .until(() -> !known(other).containsKey(leader) && known(other).size() == 2);
        assertThat(members(other)).doesNotContain(leader).hasSize(2);

        restoresTo(other);
    }

    private void restoresTo(String source) {
        byte[] backup = PoolBackup.write(node(source).coordinator().pool().state());
        Path target = directory.resolve("restored");
        Restore.into(target, "r", backup);
        assertThatThrownBy(() -> Restore.into(target, "r", backup))
                .hasMessageContaining("is not empty");
        byte[] torn = backup.clone();
        torn[torn.length - 1]++;
        assertThatThrownBy(() -> Restore.into(directory.resolve("torn"), "r", torn))
                .hasMessageContaining("damaged");
        try (Node restored = open("r", target, "")) {
            var before = node(source).coordinator().pool().state();
            var after = restored.coordinator().pool().state();
            assertThat(after.ticketKeys()).containsAllEntriesOf(before.ticketKeys());
            try (Node second = open("s", directory.resolve("second"), restored.address())) {
                assertThat(second.coordinator().pool().state().ticketKeys())
                        .containsAllEntriesOf(before.ticketKeys());
            }
        }
    }

    private void allKnowEachOther() {
        for (Node node : nodes.values()) {
            var cluster = node.coordinator().pool().state().cluster();
            assertThat(cluster.coordinators()).containsOnlyKeys("a", "b", "c");
            assertThat(cluster.level()).isEqualTo(FeatureLevel.KNOWN);
            assertThat(node.coordinator().gateways())
                    .containsExactlyInAnyOrderElementsOf(
                            nodes.values().stream().map(Node::address).toList());
        }
    }

    private SortedMap<String, ?> known(String id) {
        return node(id).coordinator().pool().state().cluster().coordinators();
    }

    private List<String> members(String id) {
        return new GroupDoor(node(id).address(), Transport.OPEN)
                .group().getMembersList().stream().map(GroupMember::getId).toList();
    }

    private String leader(String id) {
        return new GroupDoor(node(id).address(), Transport.OPEN).group().getLeaderId();
    }

    private GroupReply ask(
            String id, Function<ClusterGrpc.ClusterBlockingStub, GroupReply> question) {
        ManagedChannel channel =
                NettyChannelBuilder.forTarget(node(id).address()).usePlaintext().build();
        try {
            return question.apply(ClusterGrpc.newBlockingStub(channel));
        } finally {
            channel.shutdownNow();
        }
    }

    private Node node(String id) {
        Node node = nodes.get(id);
        if (node == null) {
            throw new AssertionError(id + " does not run");
        }
        return node;
    }

    private void start(String id, String joinThrough) {
        nodes.put(id, open(id, directory.resolve(id), joinThrough));
    }

    private void stop(String id) {
        node(id).close();
        nodes.remove(id);
    }

    private static Node open(String id, Path data, String joinThrough) {
        Optional<Surroundings> before = Surroundings.read(data);
        int port = before.map(b -> Integer.parseInt(b.raft().replaceFirst(".*:", ""))).orElse(0);
        CoordinatorOptions options =
                CoordinatorOptions.single(id, data).withRaft("127.0.0.1", port);
        Coordinator coordinator =
                Coordinator.start(joinThrough.isEmpty() ? options : options.joining(joinThrough));
        Gateway gateway = Gateway.start(coordinator, GatewayOptions.defaults().at("127.0.0.1", 0));
        coordinator.announce("127.0.0.1:" + gateway.port());
        return new Node(coordinator, gateway);
    }
}
