package coop.sahkar.client.http;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A service over plain HTTP that does what a script says, byte by byte: one script per request, the
 * last one for all that follow.
 */
public final class FakeService implements AutoCloseable {
    /** What is done with one request. */
    public interface Script {
        void run(Exchange exchange) throws IOException, InterruptedException;
    }

    /** A request as it came. */
    public record Asked(String path, String head, String body) {}

    public final List<Asked> asked = new CopyOnWriteArrayList<>();

    /** Callers who hung up while their script still ran. */
    public final AtomicInteger hungUp = new AtomicInteger();

    private final ServerSocket server;
    private final List<Script> scripts;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final AtomicInteger next = new AtomicInteger();

    public FakeService(Script... scripts) throws IOException {
        this.scripts = List.of(scripts);
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    public String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/v1";
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                sockets.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            Asked request = read(in);
            if (request == null) {
                return;
            }
            asked.add(request);
            int number = Math.min(next.getAndIncrement(), scripts.size() - 1);
            scripts.get(number).run(new Exchange(socket, socket.getOutputStream(), closed));
        } catch (IOException e) {
            hungUp.incrementAndGet();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static @org.jspecify.annotations.Nullable Asked read(InputStream in)
            throws IOException {
        StringBuilder head = new StringBuilder();
        int c;
        while (!head.toString().endsWith("\r\n\r\n")) {
            if ((c = in.read()) < 0) {
                return null;
            }
            head.append((char) c);
        }
        String lower = head.toString().toLowerCase(Locale.ROOT);
        int at = lower.indexOf("content-length:");
        int length =
                at < 0
                        ? 0
                        : Integer.parseInt(
                                lower.substring(at + 15, lower.indexOf('\r', at)).strip());
        String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        return new Asked(path(head.toString()), head.toString(), body);
    }

    private static String path(String head) {
        int first = head.indexOf(' ') + 1;
        return head.substring(first, head.indexOf(' ', first));
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    /** The answering side of one request; each answer ends with its connection. */
    public record Exchange(Socket socket, OutputStream out, CountDownLatch closed) {
        public Exchange send(String text) throws IOException {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
            return this;
        }

        public Exchange head(int status, String type, String... headers) throws IOException {
            StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " X\r\n");
            head.append("content-type: ").append(type).append("\r\nconnection: close\r\n");
            for (String header : headers) {
                head.append(header).append("\r\n");
            }
            return send(head + "\r\n");
        }

        public Exchange stream() throws IOException {
            return head(200, "text/event-stream");
        }

        /** A stream that is longer than what will come of it: its end is a broken connection. */
        public Exchange streamOfKnownLength() throws IOException {
            return head(200, "text/event-stream", "content-length: 1000000");
        }

        /** Pieces of text in OpenAI's form. */
        public Exchange say(String... words) throws IOException {
            for (String word : words) {
                send(chunk("{\"content\":\"" + word + "\"}", "null"));
            }
            return this;
        }

        public Exchange done(int promptTokens, int answerTokens) throws IOException {
            send(chunk("{}", "\"stop\""));
            send(
                    "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
                            .formatted(promptTokens, answerTokens));
            return send("data: [DONE]\n\n");
        }

        private static String chunk(String delta, String reason) {
            return "data: {\"id\":\"c1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n"
                    .formatted(delta, reason);
        }

        /** Says nothing more until the caller hangs up or the test ends. */
        public void stall() throws IOException, InterruptedException {
            while (closed.getCount() > 0) {
                // A caller that closed its side shows as an end of its requests.
                if (socket.getInputStream().read() < 0) {
                    throw new IOException("the caller hung up");
                }
            }
        }

        /** Breaks the connection rudely. */
        public void hangUp() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }
    }

    /** Answers with these words. */
    public static Script saying(String... words) {
        return x -> x.stream().say(words).done(7, words.length);
    }

    /** Refuses with a status, a body and headers. */
    public static Script refusing(int status, String body, String... headers) {
        return x -> x.head(status, "application/json", headers).send(body);
    }
}
