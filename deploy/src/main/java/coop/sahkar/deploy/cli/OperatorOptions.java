package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.coordinator.accounts.HostKey;
import coop.sahkar.proto.tls.PeerRule;
import coop.sahkar.proto.tls.Transport;
import coop.sahkar.proto.v1.AccountsGrpc;
import coop.sahkar.proto.v1.AccountsGrpc.AccountsBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which pool's accounts, and by what right. */
final class OperatorOptions {
    /** What every command with these options says of it in its help. */
    static final String BY_WHAT_RIGHT =
            "On the coordinator's own machine nothing is needed: it leaves an operator's key in its data folder, for its own user to read. From elsewhere, and for other users, show an operator's key: SAHKAR_API_KEY.";

    private static final int TIMEOUT_SECONDS = 15;
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private KeyOption key = new KeyOption();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Data folder of this machine's coordinator, where it leaves an operator's key and has its certificate. Default: ~/.local/share/sahkar.")
    private @Nullable Path data;

    /** A client of the same pool, with the same key. */
    InferenceClient client() {
        return pool.operatorClient(data, key.text());
    }

    /** Asks the first coordinator that answers. */
    <T> T ask(Function<AccountsBlockingStub, T> question) {
        return askUntil(question, _ -> true);
    }

    /** Asks one coordinator after the other until one knows; what the last one said otherwise. */
    <T> T askUntil(Function<AccountsBlockingStub, T> question, Function<T, Boolean> knows) {
        Optional<T> answer = Optional.empty();
        StatusRuntimeException away = null;
        Transport transport = pool.operatorTransport(data);
        for (CoordinatorAddress address : pool.addresses()) {
            ManagedChannel channel = transport.to(address.toString(), PeerRule.COORDINATOR).build();
            try {
                answer = Optional.of(question.apply(stub(channel, keyFor(address))));
                if (knows.apply(answer.get())) {
                    break;
                }
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                    throw e;
                }
                away = e;
            } finally {
                channel.shutdownNow();
            }
        }
        if (answer.isEmpty()) {
            CommandFailure nobody = PoolCalls.nobody(pool.addresses());
            if (away != null) {
                nobody.addSuppressed(away);
            }
            throw nobody;
        }
        return answer.get();
    }

    private static AccountsBlockingStub stub(ManagedChannel channel, String secret) {
        Metadata headers = new Metadata();
        if (!secret.isEmpty()) {
            headers.put(AUTHORIZATION, "Bearer " + secret);
        }
        return AccountsGrpc.newBlockingStub(channel)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    /** What was given; else what this machine's coordinator left, which goes nowhere else. */
    private String keyFor(CoordinatorAddress address) {
        if (!key.text().isEmpty() || !ours(address.host())) {
            return key.text();
        }
        Path base = data == null ? Folders.data(System.getenv()) : data;
        return HostKey.read(base.resolve("coordinator")).orElse("");
    }

    private static boolean ours(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            return address.isLoopbackAddress()
                    || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException unknown) {
            return false;
        }
    }
}
