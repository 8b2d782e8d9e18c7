package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A gateway in front of a coordinator of the real kind, still without workers. */
class WithCoordinatorTest {
    @TempDir private Path data;

    @Test
    void bothInterfacesOfAnEmptyPoolAnswer() {
        GatewayOptions options = GatewayOptions.defaults().at("127.0.0.1", 0);
        try (Coordinator coordinator = Coordinator.start(CoordinatorOptions.single("c1", data));
                Gateway gateway = Gateway.start(coordinator, options);
                Caller caller = new Caller(gateway.url())) {
            assertThat(caller.get("/health").status()).isEqualTo(200);
            assertThat(caller.get("/health").json().get("leader").stringValue()).isEqualTo("c1");
            assertThat(caller.get("/v1/models").json().get("data").isEmpty()).isTrue();
            assertThat(caller.chat(GatewayFixture.chat("")).status()).isEqualTo(404);
            assertThat(caller.get("/metrics").body()).contains("sahkar_workers_present 0.0");
            asksOverGrpc(gateway);
            GatewayOptions taken = options.at("127.0.0.1", gateway.port());
            assertThatThrownBy(() -> Gateway.start(coordinator, taken))
                    .isInstanceOf(GatewayException.class)
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + gateway.port());
        }
    }

    @Test
    void aKeyIsGoodAfterARestartAndTheHostsKeyIsAnotherOne() {
        String key;
        String host;
        try (Coordinator coordinator = Coordinator.start(CoordinatorOptions.single("c1", data))) {
            host = HostKey.read(data).orElseThrow();
            Doorkeeper.Entry.Known operator = (Doorkeeper.Entry.Known) identify(coordinator, host);
            key = coordinator.gate().desk().create(operator.caller(), "asha", "", "", "").secret();
        }
        try (Coordinator coordinator = Coordinator.start(CoordinatorOptions.single("c1", data))) {
            assertThat(identify(coordinator, key)).isInstanceOf(Doorkeeper.Entry.Known.class);
            assertThat(identify(coordinator, host)).isInstanceOf(Doorkeeper.Entry.Refused.class);
            assertThat(HostKey.read(data)).isPresent();
        }
    }

    private static Doorkeeper.Entry identify(Coordinator coordinator, String key) {
        return coordinator
                .gate()
                .doorkeeper()
                .identify("Bearer " + key, null, InetAddress.getLoopbackAddress());
    }

    private static void asksOverGrpc(Gateway gateway) {
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", gateway.port()).usePlaintext().build();
        try {
            assertThat(
                            ModelsGrpc.newBlockingStub(channel)
                                    .list(ListModelsRequest.getDefaultInstance())
                                    .getModelsCount())
                    .isZero();
            assertThat(
                            PoolGrpc.newBlockingStub(channel)
                                    .status(PoolStatusRequest.getDefaultInstance())
                                    .getCoordinatorId())
                    .isEqualTo("c1");
        } finally {
            channel.shutdownNow();
        }
    }
}
