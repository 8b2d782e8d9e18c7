package coop.sahkar.deploy.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.deploy.cli.Inside;
import coop.sahkar.deploy.demo.Distribution;
import coop.sahkar.proto.tls.Role;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A pool of processes at an address that other machines reach: three coordinators and two workers,
 * encrypted, joined with tokens.
 */
class EncryptedPoolIT {
    /** Nobody has it (RFC 5737). */
    private static final String DOCUMENTATION_ADDRESS = "203.0.113.1";

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

    /**
     * The address that this machine dials others from. Not any that it has: those of virtual
     * networks, of other tests for example, come and go, and what is under way there hangs.
     */
    private static Optional<String> reachable() throws IOException {
        try (DatagramSocket towardsNobody = new DatagramSocket()) {
            towardsNobody.connect(new InetSocketAddress(DOCUMENTATION_ADDRESS, 9)); // sends nothing
            InetAddress from = towardsNobody.getLocalAddress();
            return from.isLoopbackAddress() || from.isAnyLocalAddress()
                    ? anyAddress()
                    : Optional.of(from.getHostAddress());
        } catch (UncheckedIOException | SocketException noWay) {
            return anyAddress();
        }
    }

    private static Optional<String> anyAddress() throws IOException {
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

    private String ran(String... arguments) {
        Inside.Run run = Inside.run(environment(""), arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out();
    }

    private Map<String, String> environment(String key) {
        String home = scratch.toString();
        return key.isEmpty() ? Map.of("HOME", home) : Map.of("HOME", home, "SAHKAR_API_KEY", key);
    }

    /** The same with the right of whoever can read the first coordinator's folder. */
    private String operated(Member first, String... arguments) {
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
        Member third = uninvited(first);
        awaitSaid(joined, "is ready");
        String toThird = token(first, Role.COORDINATOR, 1).toString();
        Path last =
                start(
                        "c3",
                        third.command("join", first.gateway(), "--id", "c3", "--join", toThird));
        publish(first);
        ask(first);
        awaitSaid(last, "is ready");
        operate(first);
        accounts(first, second.gateway() + "," + third.gateway());
        founder.destroyForcibly().waitFor();
        ask(second);
        Path back = start("c1-again", first.command());
        awaitSaid(back, "is ready");
        cluster(first, last);
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

    /** Without a certificate nobody becomes a coordinator. */
    private Member uninvited(Member first) throws Exception {
        Member third = member("c3");
        List<String> words = third.command("join", first.gateway(), "--expose-without-encryption");
        Distribution.Run open = new Distribution(scratch).run(words.toArray(String[]::new));
        assertThat(open.exitCode()).isNotZero();
        assertThat(open.err()).contains("join its co-operative first");
        return third;
    }

    /** What operators do, by the right of the coordinator's certificate, and users do not. */
    private void operate(Member first) throws Exception {
        String status = operated(first, "coordinator", "status");
        assertThat(status.lines().filter(line -> line.contains(host))).hasSize(3);
        assertThat(status).contains("leads", "c1", "c2");
        Path file = scratch.resolve("pool.backup");
        operated(first, "coordinator", "backup", file.toString());
        Path restored = scratch.resolve("restored");
        ran("coordinator", "restore", file.toString(), "--data", restored.toString());
        assertThat(restored.resolve("coordinator/log")).isNotEmptyDirectory();
        String stolen = scratch.resolve("stolen").toString();
        for (List<String> words :
                List.of(
                        List.of("coordinator", "backup", stolen),
                        List.of("coordinator", "transfer"),
                        List.of("coordinator", "remove", "c1"))) {
            assertThat(refused(first, words, "")).contains("a certificate of the co-operative");
        }
        assertThat(refused(first, List.of("identity", "list"), ""))
                .contains("holds no coordinator's certificate");
    }

    /** What is refused to somebody elsewhere who has the public certificate, and a key or none. */
    private String refused(Member first, List<String> words, String key) {
        Inside.Run run = elsewhere(first, words, key);
        assertThat(run.exitCode()).as(run.out()).isNotZero();
        assertThat(run.err()).hasLineCount(1);
        return run.err();
    }

    private Inside.Run elsewhere(Member first, List<String> words, String key) {
        List<String> all = new ArrayList<>(words);
        all.addAll(List.of("-c", first.gateway(), "--ca", ca));
        if (!words.getFirst().equals("ledger") && !words.getFirst().equals("status")) {
            all.addAll(List.of("--data", scratch.resolve("nobody").toString()));
        }
        return Inside.run(environment(key), all.toArray(String[]::new));
    }

    /** Keys, limits, use, models and books: here by the folder, elsewhere by an operator's key. */
    private void accounts(Member first, String others) {
        String key = operated(first, "keys", "create", "--account", "asha").strip();
        String operator =
                operated(first, "keys", "create", "--account", "olga", "--role", "operator")
                        .strip();
        assertThat(key).startsWith("sk-");
        operated(first, "policy", "set", "tiers.member.tokens_per_day=2000000");
        assertThat(operated(first, "policy")).contains("2000000");
        assertThat(operated(first, "keys", "list")).contains("asha");
        String model =
                operated(first, "models")
                        .lines()
                        .map(line -> line.split(" ", 2)[0])
                        .filter(name -> name.startsWith("sahkar-tiny"))
                        .findFirst()
                        .orElseThrow();
        assertThat(operated(first, "models", "withdraw", model, "--in", "30d"))
                .contains("takes no new requests");
        for (List<String> words :
                List.of(
                        List.of("policy", "set", "anonymous=off"),
                        List.of("models", "keep", model))) {
            refused(first, words, key);
            refused(first, words, "");
        }
        List<String> keys = List.of("keys", "list");
        assertThat(elsewhere(first, keys, operator).out()).contains("asha", "olga");
        assertThat(elsewhere(first, keys, key).out()).contains("asha").doesNotContain("olga");
        refused(first, keys, "");
        assertThat(elsewhere(first, List.of("models", "keep", model), operator).out())
                .contains("stays");
        Inside.Run usage = // of whoever leads
                elsewhere(first, List.of("usage", "-c", others), operator);
        assertThat(usage.exitCode()).as(usage.err()).isZero();
        for (List<String> words :
                List.of(List.of("models"), List.of("status"), List.of("ledger"))) {
            assertThat(elsewhere(first, words, "")).matches(run -> run.exitCode() == 0);
        }
        String books = scratch.resolve("books.csv").toString();
        assertThat(elsewhere(first, List.of("ledger", "export", books), "").exitCode()).isZero();
        await("the books to have what was asked")
                .atMost(TestPool.SOON)
                .until(() ->
                        elsewhere(first, List.of("ledger", "statement", "w1"), "").exitCode() == 0);
        assertThat(Path.of(books)).isNotEmptyFile();
    }

    /** The lead is handed on, and a coordinator that is removed ends. */
    private void cluster(Member first, Path last) {
        for (String next : List.of("c2", "c1")) {
            operated(first, "coordinator", "transfer", next);
            await().atMost(TestPool.SOON)
                    .until(() ->
                            operated(first, "coordinator", "status")
                                    .lines()
                                    .anyMatch(line -> line.matches(next + " +leads.*")));
        }
        operated(first, "coordinator", "remove", "c3");
        awaitSaid(last, "was removed");
        assertThat(operated(first, "coordinator", "status")).doesNotContain("c3");
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
        process(
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

    /** Runs a command in a process of its own. */
    private void process(String... arguments) throws Exception {
        Distribution.Run run = new Distribution(scratch).run(arguments);
        assertThat(run.exitCode()).as(run.err()).isZero();
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
