package coop.sahkar.worker.ring;

import coop.sahkar.proto.v1.LinkReply;
import coop.sahkar.proto.v1.RingMessage;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/** A link spoken byte by byte, by whoever wants to break its rules. */
final class RawLink implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    private RawLink(Socket socket) throws IOException {
        this.socket = socket;
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
    }

    /** Connects and says the preface. */
    static RawLink dial(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        RawLink link = new RawLink(socket);
        link.out.write(SocketLink.PREFACE);
        return link;
    }

    /** Says the preface on a connection that stands. */
    static RawLink over(Socket socket) throws IOException {
        RawLink link = new RawLink(socket);
        link.out.write(SocketLink.PREFACE);
        return link;
    }

    void send(RingMessage message) throws IOException {
        sendBytes(message.toByteArray());
    }

    void sendBytes(byte[] message) throws IOException {
        out.writeInt(message.length);
        out.write(message);
    }

    void sendLength(int length) throws IOException {
        out.writeInt(length);
    }

    void drip(RingMessage message) throws IOException {
        byte[] bytes = message.toByteArray();
        out.writeInt(bytes.length);
        for (byte one : bytes) {
            out.write(one);
        }
    }

    /** The next reply. */
    LinkReply reply() throws IOException {
        int length = in.readInt();
        while (length == 0) {
            length = in.readInt();
        }
        return LinkReply.parseFrom(in.readNBytes(length));
    }

    /** Waits for the other end to hang up; the last it said. */
    LinkReply lastReply() throws IOException {
        @Nullable LinkReply last = null;
        while (true) {
            try {
                last = reply();
            } catch (EOFException end) {
                if (last == null) {
                    throw end;
                }
                return last;
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
