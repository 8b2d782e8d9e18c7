package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.tls.Role;
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

/**
 * A pool of processes at an address that other machines reach: three coordinators and two workers,
 * encrypted, joined with tokens.
 */
class EncryptedPoolIT {
    @TempDir private Path scratch = Path.of("");
    private final List<Process> processes = new ArrayList<>();
    private String host = "";
    private String ca = "";

    /** One coordinator: where its data is, where it is reached. */
    private record Member(String name, String data, String gateway, String log) {
        List<String> command(String... words) {
            List<String> all = new ArrayList<>(List.of("coordinator"));
            all.addAll(List.of(words));
            all.addAll(List.of("--listen", gateway, "--raft-listen", log, "--data", data));
            return all;
        }
    }

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

    private String freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            return host + ":" + socket.getLocalPort();
        }
    }

    private Member member(String name) throws IOException {
        return new Member(name, scratch.resolve(name).toString(), freePort(), freePort());
    }

    private String ran(String... arguments) throws Exception {
        Distribution.Run run = new Distribution(scratch).run(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out();
    }

    /** The same with the right of whoever can read the first coordinator's folder. */
    private String operated(Member first, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-c", first.gateway(), "--data", first.data()));
        return ran(all.toArray(String[]::new));
    }

    private Path start(String name, List<String> arguments) throws IOException {
        Path out = scratch.resolve(name + ".txt");
        ProcessBuilder builder = new Distribution(scratch).command(arguments);
        processes.add(
                builder.redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.to(out.toFile()))
                        .start());
        return out;
    }

    private static void awaitSaid(Path out, String words) {
        await().atMost(TestPool.SOON)
                .untilAsserted(() -> assertThat(Files.readString(out)).contains(words));
    }

    private Path token(Member first, Role role, int uses) throws Exception {
        Path file = scratch.resolve("token-" + role.word());
        String words =
                operated(
                        first,
                        "identity",
                        "token",
                        "--role",
                        role.word(),
                        "--uses",
                        Integer.toString(uses));
        return Files.writeString(file, words);
    }

    @Test
    void whoBelongsServesAndIsServedAndNobodyElse() throws Exception {
        assumeTrue(reachable().isPresent(), "this machine has no address but loopback");
        host = reachable().orElseThrow();
        Member first = member("c1");
        Member second = member("c2");
        ca = first.data() + "/coordinator/tls/ca.pem";
        Process founder = founded(first);
        String toCoordinators = token(first, Role.COORDINATOR, 1).toString();
        Path toWorkers = token(first, Role.WORKER, 2);
        Path joined =
                start(
                        "c2",
                        second.command(
                                "join", first.gateway(), "--id", "c2", "--join", toCoordinators));
        Path one = worker("w1", toWorkers);
        Path two = worker("w2", toWorkers);
        awaitSaid(joined, "is ready");
        third(first);
        publish(first);
        ask(first);
        operate(first);
        founder.destroyForcibly().waitFor();
        ask(second);
        Path back = start("c1-again", first.command());
        awaitSaid(back, "is ready");
        operated(first, "identity", "revoke", "worker/w2");
        awaitSaid(two, "revoked");
        assertThat(Files.readString(one)).doesNotContain("revoked");
        assertThat(operated(first, "identity", "list"))
                .contains("worker/w1", "client/publisher", "coordinator/c2")
                .doesNotContain("worker/w2");
        await().atMost(TestPool.SOON)
                .until(() -> ran("ledger", "-c", second.gateway(), "--ca", ca).contains("w1"));
        for (Process process : processes) {
            assertThat(process.info().commandLine().orElse("")).doesNotContain("sahkar-join-");
        }
    }

    private Process founded(Member first) throws IOException {
        Path out = start("c1", first.command("init", "--name", "forest", "--id", "c1"));
        awaitSaid(out, "is ready at https://");
        return processes.getFirst();
    }

    /** Without a certificate nobody becomes a coordinator; with one and a used token neither. */
    private void third(Member first) throws Exception {
        Member third = member("c3");
        List<String> uninvited =
                third.command("join", first.gateway(), "--expose-without-encryption");
        Distribution.Run open = new Distribution(scratch).run(uninvited.toArray(String[]::new));
        assertThat(open.exitCode()).isNotZero();
        assertThat(open.err()).contains("join its co-operative first");
        Path token = token(first, Role.COORDINATOR, 1);
        Path out = start("c3", third.command("join", first.gateway(), "--join", token.toString()));
        awaitSaid(out, "is ready");
    }

    /** What operators and users do beside. */
    private void operate(Member first) throws Exception {
        String status = operated(first, "coordinator", "status");
        assertThat(status.lines().filter(line -> line.contains(host))).hasSize(3);
        assertThat(status).contains("leads", "c1", "c2");
        assertThat(operated(first, "keys", "create", "--account", "asha")).startsWith("sk-");
        Path file = scratch.resolve("pool.backup");
        operated(first, "coordinator", "backup", file.toString());
        assertThat(file).isNotEmptyFile();
        Distribution.Run user =
                new Distribution(scratch)
                        .run(
                                "coordinator",
                                "backup",
                                scratch.resolve("stolen").toString(),
                                "-c",
                                first.gateway(),
                                "--ca",
                                ca);
        assertThat(user.exitCode()).isNotZero();
        assertThat(user.err()).contains("takes a certificate of the co-operative");
    }

    private void publish(Member first) throws Exception {
        String publisher = scratch.resolve("p").toString();
        ran(
                "identity",
                "join",
                "--join",
                token(first, Role.CLIENT, 1).toString(),
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
                first.gateway(),
                "--ca",
                ca,
                "--data",
                publisher,
                "--listen",
                host + ":0");
    }

    private void ask(Member member) {
        try (InferenceClient client =
                InferenceClient.builder()
                        .addresses(List.of(member.gateway()))
                        .authority(Path.of(ca))
                        .build()) {
            String model = client.models().getFirst().id();
            String text = client.complete(InferenceRequest.ask(model, "What is a worker?")).text();
            assertThat(text).contains("worker");
        }
    }

    private Path worker(String id, Path token) throws IOException {
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
