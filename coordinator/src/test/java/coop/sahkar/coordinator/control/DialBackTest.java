package coop.sahkar.coordinator.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.ReachGrpc;
import coop.sahkar.proto.v1.WhoReply;
import coop.sahkar.proto.v1.WhoRequest;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DialBackTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    private final DialBack dialBack = new DialBack(Transport.OPEN);
    private final AtomicBoolean wanted = new AtomicBoolean(true);
    private final List<Optional<String>> verdicts = new CopyOnWriteArrayList<>();
    private @Nullable Server server;
    private @Nullable Thread dialling;

    @AfterEach
    void end() {
        if (server != null) {
            server.shutdownNow();
        }
        if (dialling != null) {
            dialling.interrupt();
        }
    }

    @Test
    void aWorkerThatWasNotFoundIsFoundLater() throws Exception {
        int port = freePort();
        Thread thread = dial("w", port);
        await().atMost(SOON).until(() -> !verdicts.isEmpty());
        assertThat(verdicts.getFirst()).get().asString().contains("nobody answers");
        serve("w", port);
        assertThat(thread.join(SOON)).isTrue();
        assertThat(verdicts.getLast()).isEmpty();
        assertThat(verdicts.stream().filter(Optional::isEmpty)).hasSize(1);
    }

    @Test
    void nobodyIsDialledInVainForEver() throws Exception {
        int port = freePort();
        serve("somebody-else", port);
        Thread thread = dial("w", port);
        await().atMost(SOON).until(() -> !verdicts.isEmpty());
        assertThat(verdicts.getFirst()).get().asString().contains("another worker answers");
        wanted.set(false);
        assertThat(thread.join(SOON)).isTrue();
        assertThat(verdicts).allMatch(Optional::isPresent);
    }

    private Thread dial(String workerId, int port) {
        Thread thread =
                Thread.startVirtualThread(() ->
                        dialBack.untilFound(
                                workerId, "127.0.0.1:" + port, wanted::get, verdicts::add));
        dialling = thread;
        return thread;
    }

    private void serve(String workerId, int port) throws Exception {
        server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                        .addService(new Here(workerId))
                        .build()
                        .start();
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static final class Here extends ReachGrpc.ReachImplBase {
        private final String workerId;

        Here(String workerId) {
            this.workerId = workerId;
        }

        @Override
        public void who(WhoRequest request, StreamObserver<WhoReply> out) {
            out.onNext(WhoReply.newBuilder().setWorkerId(workerId).build());
            out.onCompleted();
        }
    }
}
