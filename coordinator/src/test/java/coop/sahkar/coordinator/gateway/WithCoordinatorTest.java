package coop.sahkar.coordinator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.Coordinator;
import coop.sahkar.coordinator.CoordinatorOptions;
import coop.sahkar.proto.v1.ListModelsRequest;
import coop.sahkar.proto.v1.ModelsGrpc;
import coop.sahkar.proto.v1.PoolGrpc;
import coop.sahkar.proto.v1.PoolStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
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
