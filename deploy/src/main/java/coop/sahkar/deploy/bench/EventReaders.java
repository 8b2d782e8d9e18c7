package coop.sahkar.deploy.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Readers of streamed answers, each with a connection of its own, all served by one thread: so
 * thousands take next to nothing themselves. Each checks that it gets every token of its answer
 * once, in order, and notes how long each took from the head to here.
 */
final class EventReaders implements AutoCloseable {
    private static final int SLOW_RECEIVE_BYTES = 8 * 1024;
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int LONGEST_LINE_BYTES = 16 * 1024;
    private static final int FAILURES_TOLD = 8;

    private final InetSocketAddress gateway;
    private final int tokens;
    private final Selector selector;
    private final List<Reader> readers = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger whole = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final Thread thread = Thread.ofPlatform().daemon().name("readers").unstarted(this::run);
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private long[] delayNanos = new long[0];
    private int delays;

    /**
     * @param tokens length of each answer
     */
    EventReaders(InetSocketAddress gateway, int tokens) throws IOException {
        this.gateway = gateway;
        this.tokens = tokens;
        this.selector = Selector.open();
    }

    /** Readers that take everything at once; called once. */
    void read(int count) throws IOException {
        delayNanos = new long[count * tokens];
        for (int i = 0; i < count; i++) {
            connect(PacedHead.PACED, false);
        }
        thread.start();
    }

    /** Readers that ask for all that can be had and then take nothing; called once. */
    void stall(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            connect(PacedHead.FLOOD, true);
        }
    }

    private void connect(String prompt, boolean stalled) throws IOException {
        SocketChannel channel = SocketChannel.open();
        if (stalled) {
            channel.setOption(StandardSocketOptions.SO_RCVBUF, SLOW_RECEIVE_BYTES);
        }
        Reader reader = new Reader(channel);
        readers.add(reader);
        channel.connect(gateway);
        ByteBuffer request = ByteBuffer.wrap(request(prompt));
        while (request.hasRemaining()) {
            channel.write(request);
        }
        if (!stalled) {
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, reader);
        }
    }

    private byte[] request(String prompt) {
        String body =
                """
                {"model":"%s","messages":[{"role":"user","content":"%s"}],"stream":true,"max_tokens":%d}\
                """
                        .formatted(
                                OneHeadPool.MODEL,
                                prompt,
                                prompt.equals(PacedHead.PACED) ? tokens : Short.MAX_VALUE);
        return """
        POST /v1/chat/completions HTTP/1.1\r
        Host: %s:%d\r
        Content-Type: application/json\r
        Content-Length: %d\r
        \r
        %s\
        """
                .formatted(gateway.getHostString(), gateway.getPort(), body.length(), body)
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Readers that have their first token, or failed. */
    int begun() {
        return begun.get() + failed.get();
    }

    /** Readers that have their whole answer, or failed. */
    int over() {
        return whole.get() + failed.get();
    }

    /** Readers that have their whole answer, each token once. */
    int whole() {
        return whole.get();
    }

    /** What went wrong, the first few of it. */
    List<String> failures() {
        synchronized (failures) {
            return List.copyOf(failures);
        }
    }

    /** How long each token took from the head to its reader, the shortest first. */
    long[] delayNanos() {
        synchronized (failures) {
            long[] all = Arrays.copyOf(delayNanos, delays);
            Arrays.sort(all);
            return all;
        }
    }

    private void run() {
        try {
            while (selector.isOpen()) {
                selector.select(key -> {
                    if (key.attachment() instanceof Reader reader) {
                        reader.ready();
                    }
                });
            }
        } catch (IOException | java.nio.channels.ClosedSelectorException closed) {
            failed("the readers stopped: " + closed);
        }
    }

    private void failed(String why) {
        synchronized (failures) {
            if (failures.size() < FAILURES_TOLD) {
                failures.add(why);
            }
        }
    }

    /** One connection. */
    private final class Reader {
        private final SocketChannel channel;
        private byte[] line = new byte[512];
        private int length;
        private int next;
        private boolean over;

        Reader(SocketChannel channel) {
            this.channel = channel;
        }

        void ready() {
            try {
                int count = channel.read(buffer.clear());
                long now = System.nanoTime();
                if (count < 0) {
                    fail("the stream ended after %d tokens".formatted(next));
                    return;
                }
                buffer.flip();
                while (buffer.hasRemaining() && !over) {
                    take(buffer.get(), now);
                }
            } catch (IOException broken) {
                fail(String.valueOf(broken.getMessage()));
            }
        }

        private void take(byte octet, long now) {
            if (octet != '\n') {
                if (length == LONGEST_LINE_BYTES) {
                    fail("a line is too long");
                    return;
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, 2 * length);
                }
                line[length++] = octet;
                return;
            }
            String said = new String(line, 0, length, StandardCharsets.UTF_8).strip();
            length = 0;
            if (said.startsWith("data: ")) {
                data(said, now);
            } else if (said.startsWith("HTTP/1.1") && !said.contains(" 200")) {
                fail(said);
            }
        }

        private void data(String said, long now) {
            if (said.equals("data: [DONE]")) {
                finish();
                return;
            }
            String token = text(said);
            if (said.contains("\"error\"")) {
                fail(said);
            } else if (token != null && !token.isEmpty()) {
                token(token, now);
            }
        }

        private static @Nullable String text(String said) {
            String before = "\"content\":\"";
            int from = said.indexOf(before);
            return from < 0
                    ? null
                    : said.substring(
                            from + before.length(), said.indexOf('"', from + before.length()));
        }

        private void token(String token, long now) {
            int colon = token.indexOf(':');
            int index = Integer.parseInt(token, 0, colon, 10);
            if (index != next) {
                fail("token %d came where %d was due".formatted(index, next));
                return;
            }
            next++;
            if (index == 0) {
                begun.incrementAndGet();
                return;
            }
            // The first of an answer waits for route, call and headers: not a token's time.
            long sent = Long.parseLong(token, colon + 1, token.length() - 1, 10);
            synchronized (failures) {
                delayNanos[delays++] = now - sent;
            }
        }

        private void finish() {
            if (next != tokens) {
                fail("%d of %d tokens came".formatted(next, tokens));
                return;
            }
            whole.incrementAndGet();
            close();
        }

        private void fail(String why) {
            failed.incrementAndGet();
            failed(why);
            close();
        }

        private void close() {
            over = true;
            try {
                channel.close();
            } catch (IOException broken) {
                failed("a connection could not be closed: " + broken.getMessage());
            }
        }
    }

    /** Hangs up on everything. */
    @Override
    public void close() throws IOException {
        selector.close();
        for (Reader reader : readers) {
            reader.channel.close();
        }
    }
}
