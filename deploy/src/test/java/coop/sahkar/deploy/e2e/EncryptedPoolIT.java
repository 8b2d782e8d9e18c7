package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.demo.Distribution;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool of processes at an address that other machines reach, encrypted, joined with tokens. */
class EncryptedPoolIT {
    @TempDir private Path scratch = Path.of("");
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process process : processes.reversed()) {
            process.destroyForcibly().waitFor();
        }
    }

    private static Optional<String> reachable() throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(a -> a instanceof Inet4Address && !a.isLoopbackAddress())
                .map(InetAddress::getHostAddress)
                .findFirst();
    }

    private static int freePort(String host) throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return socket.getLocalPort();
        }
    }

    private String ran(String... arguments) throws Exception {
        Distribution.Run run = new Distribution(scratch).run(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out();
    }

    private Path start(String name, List<String> arguments) throws IOException {
        Path out = scratch.resolve(name + ".txt");
        ProcessBuilder builder = new Distribution(scratch).command(arguments);
        processes.add(builder.redirectErrorStream(true).redirectOutput(out.toFile()).start());
        return out;
    }

    @Test
    void workersJoinWithATokenServeAndAreRevoked() throws Exception {
        assumeTrue(reachable().isPresent(), "this machine has no address but loopback");
        String host = reachable().orElseThrow();
        String at = host + ":" + freePort(host);
        String operator = scratch.resolve("c").toString();
        String ca = scratch.resolve("c/coordinator/tls/ca.pem").toString();
        ran("identity", "init", "--name", "forest", "--host", host, "--data", operator);
        Path said =
                start(
                        "coordinator",
                        List.of(
                                "coordinator",
                                "--listen",
                                at,
                                "--raft-listen",
                                host + ":" + freePort(host),
                                "--data",
                                operator));
        await().atMost(TestPool.SOON).until(() -> Files.readString(said).contains("is ready"));
        Path token = scratch.resolve("token");
        Files.writeString(
                token, ran("identity", "token", "-c", at, "--uses", "2", "--data", operator));
        worker("w1", host, token);
        Path second = worker("w2", host, token);
        publish(at, host, operator, ca);
        ask(at, ca);
        ran("identity", "revoke", "worker/w2", "-c", at, "--data", operator);
        await().atMost(TestPool.SOON).until(() -> Files.readString(second).contains("revoked"));
        assertThat(ran("identity", "list", "-c", at, "--data", operator))
                .contains("worker/w1", "client/publisher")
                .doesNotContain("worker/w2");
        for (Process process : processes) {
            assertThat(process.info().commandLine().orElse("")).doesNotContain("sahkar-join-");
        }
    }

    private void publish(String at, String host, String operator, String ca) throws Exception {
        Path forPublishers = scratch.resolve("publisher");
        Files.writeString(
                forPublishers,
                ran("identity", "token", "-c", at, "--role", "client", "--data", operator));
        String publisher = scratch.resolve("p").toString();
        ran(
                "identity",
                "join",
                "--join",
                forPublishers.toString(),
                "--id",
                "publisher",
                "--data",
                publisher);
        ran(
                "publish",
                Distribution.bundledModel().toString(),
                "--min-stages",
                "2",
                "-c",
                at,
                "--ca",
                ca,
                "--data",
                publisher,
                "--listen",
                host + ":0");
    }

    private static void ask(String at, String ca) {
        try (InferenceClient client =
                InferenceClient.builder().addresses(List.of(at)).authority(Path.of(ca)).build()) {
            String model = client.models().getFirst().id();
            String text = client.complete(InferenceRequest.ask(model, "What is a worker?")).text();
            assertThat(text).contains("worker");
        }
    }

    private Path worker(String id, String host, Path token) throws IOException {
        return start(
                id,
                List.of(
                        "worker",
                        "--id",
                        id,
                        "--listen",
                        host + ":0",
                        "--join",
                        token.toString(),
                        "--threads",
                        "1",
                        "--memory",
                        "1G",
                        "--speed",
                        "10000000000",
                        "--data",
                        scratch.resolve(id).toString()));
    }
}
