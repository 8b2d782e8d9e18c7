package coop.sahkar.worker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import coop.sahkar.proto.tls.Transport;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PieceFetcherTest {
    private static final FetchPolicy QUICK = new FetchPolicy(2, 400, 3, 1, 5, 50, 4);
    private static final StoredKey KEY = StoredKey.keyValues(Pieces.MODEL);
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    @TempDir Path directory;

    private final Pieces.File file = Pieces.file(3, 40_000, 70_001, 30_000, 5_000, 250_000);
    private final FakeSource good = new FakeSource("good", file.bytes());
    private final FakeSource bad = new FakeSource("bad", file.bytes());
    private final AtomicLong sentByWeb = new AtomicLong();
    private final CountDownLatch over = new CountDownLatch(1);
    private final ExecutorService webThreads = Executors.newVirtualThreadPerTaskExecutor();
    private HttpServer web;

    @BeforeEach
    void startWeb() throws IOException {
        web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        web.setExecutor(webThreads);
        web.createContext("/good.gguf", exchange -> answer(exchange, true));
        web.createContext("/norange.gguf", exchange -> answer(exchange, false));
        web.createContext("/stalls.gguf", this::stall);
        web.createContext("/drips.gguf", this::drip);
        web.start();
    }

    @AfterEach
    void stopWeb() {
        over.countDown();
        web.stop(0);
        webThreads.shutdownNow();
    }

    private String url(String path) {
        return "http://127.0.0.1:" + web.getAddress().getPort() + path;
    }

    private static long[] range(HttpExchange exchange) {
        Matcher range = RANGE.matcher(exchange.getRequestHeaders().getFirst("Range"));
        assertThat(range.matches()).isTrue();
        return new long[] {Long.parseLong(range.group(1)), Long.parseLong(range.group(2)) + 1};
    }

    private OutputStream begin(HttpExchange exchange, long[] range) throws IOException {
        exchange.getResponseHeaders()
                .set(
                        "Content-Range",
                        "bytes %d-%d/%d".formatted(range[0], range[1] - 1, file.bytes().length));
        exchange.sendResponseHeaders(206, range[1] - range[0]);
        return exchange.getResponseBody();
    }

    private void answer(HttpExchange exchange, boolean honoursRange) throws IOException {
        long[] range = honoursRange ? range(exchange) : new long[] {0, file.bytes().length};
        try (exchange) {
            if (!honoursRange) {
                exchange.sendResponseHeaders(200, file.bytes().length);
            }
            OutputStream body = honoursRange ? begin(exchange, range) : exchange.getResponseBody();
            for (long at = range[0]; at < range[1]; at += 4096) {
                int count = (int) Math.min(4096, range[1] - at);
                body.write(file.bytes(), (int) at, count);
                sentByWeb.addAndGet(count);
            }
        }
    }

    private void stall(HttpExchange exchange) throws IOException {
        try (exchange) {
            begin(exchange, range(exchange)).flush();
            waitUntilOver(30_000);
        }
    }

    private void drip(HttpExchange exchange) throws IOException {
        long[] range = range(exchange);
        try (exchange) {
            OutputStream body = begin(exchange, range);
            for (long at = range[0]; at < range[1] && !waitUntilOver(20); at++) {
                body.write(file.bytes(), (int) at, 1);
                body.flush();
            }
        }
    }

    private boolean waitUntilOver(int millis) throws IOException {
        try {
            return over.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private void fetch(Source... sources) throws Exception {
        fetch(QUICK, List.of(sources));
    }

    private void fetch(FetchPolicy policy, List<Source> sources) throws Exception {
        TensorStore store = TensorStore.open(directory, 1L << 30);
        try (PieceFetcher fetcher = new PieceFetcher(Pieces.MODEL, sources, policy);
                StoredFile stored =
                        store.obtain(
                                KEY,
                                file.layout(),
                                fetcher,
                                FetchProgress.SILENT,
                                new Cancellation())) {
            assertThat(Files.readAllBytes(stored.path())).isEqualTo(file.assembled(file.layout()));
        }
    }

    @Test
    void fetchesByteRangesFromAWebServer() throws Exception {
        fetch(QUICK, Sources.open(List.of(url("/good.gguf")), QUICK, Transport.OPEN));
        assertThat(sentByWeb).hasValue(file.layout().pieceBytes());
    }

    @Test
    void refusesAWebServerThatIgnoresRangesWithoutDownloadingTheFile() {
        assertThatThrownBy(() ->
                        fetch(
                                QUICK,
                                Sources.open(List.of(url("/norange.gguf")), QUICK, Transport.OPEN)))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("ignores byte ranges")
                .hasMessageContaining("/norange.gguf");
    }

    @Test
    void namesTheStatusOfAWebServerThatHasNoSuchFile() {
        assertThatThrownBy(() ->
                        fetch(
                                QUICK,
                                Sources.open(List.of(url("/none.gguf")), QUICK, Transport.OPEN)))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("HTTP status 404");
    }

    @Test
    void movesOnFromASourceThatStalls() throws Exception {
        fetch(
                QUICK,
                Sources.open(
                        List.of(url("/stalls.gguf"), url("/good.gguf")), QUICK, Transport.OPEN));
        assertThat(sentByWeb).hasValue(file.layout().pieceBytes());
    }

    @Test
    void movesOnFromASourceThatDrips() throws Exception {
        fetch(
                QUICK,
                Sources.open(
                        List.of(url("/drips.gguf"), url("/good.gguf")), QUICK, Transport.OPEN));
        assertThat(sentByWeb.get()).isGreaterThan(file.layout().pieceBytes() / 2);
    }

    @Test
    void dropsASourceThatLies() throws Exception {
        bad.lies = true;
        fetch(bad, good);
        assertThat(good.given).hasValue(file.layout().pieceBytes());
        assertThat(bad.reads.get()).isLessThanOrEqualTo(QUICK.parallel());
    }

    @Test
    void failsInASentenceWhenEverySourceLies() {
        bad.lies = true;
        assertThatThrownBy(() -> fetch(bad))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("bad: it sent other bytes");
    }

    @Test
    void goesOnInTheMiddleOfATensorWhenASourceBreaksOff() throws Exception {
        good.breaksAfter = 100_000;
        fetch(good);
        assertThat(good.given).hasValue(file.layout().pieceBytes());
    }

    @Test
    void triesASourceThatIsDownOnlySoOften() {
        bad.down = true;
        assertThatThrownBy(() -> fetch(bad))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("bad: it is down");
        assertThat(bad.reads.get())
                .isBetween(QUICK.failuresPerSource(), QUICK.failuresPerSource() * QUICK.parallel());
    }

    @Test
    void asksAnotherForWhatOneLacks() throws Exception {
        bad.lacking.add("t1");
        bad.lacking.add("t2");
        fetch(bad, good);
        assertThat(good.given.get()).isGreaterThanOrEqualTo(100_001);
    }

    @Test
    void neverGivesTheSinkMoreThanWasAskedFor() {
        ChunkQueue queue = new ChunkQueue();
        for (int i = 0; i < 100; i++) {
            queue.bytes(ByteBuffer.allocate(1));
        }
        assertThatThrownBy(() ->
                        new Download(queue, () -> {}, 100)
                                .pump(1000, _ -> true, new Cancellation()))
                .isInstanceOf(SourceException.class)
                .hasMessageContaining("more than it was asked for");
    }
}
