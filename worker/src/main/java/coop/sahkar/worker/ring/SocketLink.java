package coop.sahkar.worker.ring;

import com.google.protobuf.MessageLite;
import coop.sahkar.proto.tls.NodeName;
import coop.sahkar.proto.tls.NodeTls;
import coop.sahkar.worker.engine.StageInbox;
import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelDuplexHandler;
import io.grpc.netty.shaded.io.netty.channel.ChannelFuture;
import io.grpc.netty.shaded.io.netty.channel.ChannelFutureListener;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelPromise;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslHandler;
import io.grpc.netty.shaded.io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection between two workers. It carries messages as {@link FrameBytes} cuts them,
 * and hands over one for each {@link #request}: who does not ask is not read from, and TCP holds
 * the sender back.
 *
 * <p>Two things are done without the network's thread, because waking a thread takes longer than
 * the rest of a hop. Whoever sends writes to the socket at once, unless bytes wait already. And
 * while an engine computes the tokens of one session only, it is <em>lent</em> the reading: the
 * network's thread stops watching this socket, and the engine looks for the next message itself.
 * Neither is done where a handler that changes the bytes stands before this one (encryption).
 */
final class SocketLink extends ChannelDuplexHandler {
    /** What a worker that dials says first, ahead of its hello; the last byte is the version. */
    static final byte[] PREFACE = {'S', 'A', 'H', 'K', 'A', 'R', 0, 1};

    private static final int READ_BYTES = 32 * 1024;
    private static final int WRITE_BYTES = 32 * 1024;
    private static final long MOST_WAITING_BYTES = 1024 * 1024;

    /** What happens on a link. */
    interface Owner {
        /** A message that was asked for; on any thread, one call at a time. */
        void onMessage(byte[] message);

        /** Bytes that waited are gone: more may be sent. */
        void onReady();

        /** The peer broke the framing; the owner ends the link. */
        void onViolation(LinkViolation violation);

        /** The connection is over. Told once. */
        void onEnd(String reason);

        /** Who is to look for the next message itself; null for the network's thread. */
        @Nullable StageInbox borrower();
    }

    /** Who reads. */
    private enum Reading {
        /** Nobody; nothing is asked for. */
        NOBODY,
        /** The network's thread. */
        NETWORK,
        /** An engine. */
        LENT
    }

    private final RingOptions options;
    private final LentLinks lent;
    private final Object out = new Object();
    private @Nullable ByteBuffer scratch; // guarded by out
    private long waitingBytes; // guarded by out
    private boolean finishing; // guarded by out
    private volatile long saidNanos = System.nanoTime();

    private final FrameBytes in = new FrameBytes(); // guarded by this, like all below
    private Reading reading = Reading.NOBODY;
    private boolean wanted;
    private boolean pumping;
    private boolean ended;
    private boolean asked;
    private long heardNanos = System.nanoTime();
    private @Nullable StageInbox borrower;

    private volatile @Nullable Owner owner;
    private volatile @Nullable ChannelHandlerContext context;
    private volatile @Nullable SocketChannel direct;
    private volatile String endReason = "it closed the link";
    private @Nullable ScheduledFuture<?> beats;

    SocketLink(RingOptions options, LentLinks lent) {
        this.options = options;
        this.lent = lent;
    }

    /** Says whom messages go to; before anything is sent or asked for. */
    void own(Owner to) {
        owner = to;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        Channel channel = ctx.channel();
        channel.config().setAutoRead(false);
        if (channel.pipeline().get(SslHandler.class) == null
                && channel instanceof RingSocket socket) {
            direct = socket.socket();
        }
        long every = Math.max(1, options.keepAliveMillis() / 2);
        beats = ctx.executor().scheduleAtFixedRate(this::beat, every, every, TimeUnit.MILLISECONDS);
    }

    /** Whose certificate the other end has shown; empty on a link in the open. */
    Optional<NodeName> peer() {
        ChannelHandlerContext ctx = context;
        SslHandler ssl = ctx == null ? null : ctx.pipeline().get(SslHandler.class);
        return ssl == null ? Optional.empty() : NodeTls.peer(ssl.engine().getSession());
    }

    /** Asks for one message. */
    void request() {
        synchronized (this) {
            wanted = true;
        }
        pump();
    }

    private void pump() {
        synchronized (this) {
            if (pumping) {
                return;
            }
            pumping = true;
        }
        while (true) {
            byte[] message;
            synchronized (this) {
                message = wanted && !ended ? nextOrArm() : null;
                if (message == null) {
                    pumping = false;
                    return;
                }
                wanted = false;
            }
            Owner to = owner;
            if (to != null) {
                to.onMessage(message);
            }
        }
    }

    private byte @Nullable [] nextOrArm() {
        try {
            byte[] message = in.next();
            if (message == null) {
                arm();
            }
            return message;
        } catch (LinkViolation violation) {
            ended = true;
            Owner to = owner;
            ChannelHandlerContext ctx = context;
            if (to != null && ctx != null) {
                ctx.executor().execute(() -> to.onViolation(violation));
            }
            return null;
        }
    }

    private void arm() {
        if (asked) {
            return; // the network's thread reads already
        }
        Owner to = owner;
        StageInbox engine = direct == null || to == null ? null : to.borrower();
        if (engine != null) {
            reading = Reading.LENT;
            if (!engine.equals(borrower)) {
                borrower = engine;
                lent.add(this);
                if (!engine.attentive()) { // it took all links back before it could see this one
                    toNetwork();
                }
            }
        } else if (reading != Reading.NETWORK) {
            toNetwork();
        }
    }

    private void toNetwork() {
        if (borrower != null) {
            borrower = null;
            lent.remove(this);
        }
        reading = Reading.NETWORK;
        heardNanos = System.nanoTime(); // before, nobody listened
        askNetwork();
    }

    private void askNetwork() {
        ChannelHandlerContext ctx = context;
        if (ctx != null && !asked) {
            asked = true;
            ctx.read();
        }
    }

    /** Whether the link is lent to this engine. */
    synchronized boolean lentTo(StageInbox engine) {
        return engine.equals(borrower);
    }

    /** The borrower looks for bytes; true if some came. */
    boolean poll() {
        synchronized (this) {
            SocketChannel socket = direct;
            if (reading != Reading.LENT || socket == null) {
                return false;
            }
            int count;
            try {
                count = socket.read(in.room(READ_BYTES));
            } catch (IOException e) {
                count = -1; // the network's thread will meet it, too, and say so
            }
            if (count < 0) {
                toNetwork();
            }
            if (count <= 0) {
                return false;
            }
            in.came(count);
            heardNanos = System.nanoTime();
        }
        pump();
        return true;
    }

    /** The network's thread watches the link again. */
    synchronized void takeBack() {
        if (reading == Reading.LENT) {
            toNetwork();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            synchronized (this) {
                int count = bytes.readableBytes();
                bytes.readBytes(in.room(count));
                in.came(count);
                heardNanos = System.nanoTime();
                if (ended) {
                    in.drop();
                }
            }
        } finally {
            bytes.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        synchronized (this) {
            asked = false;
            reading = Reading.NOBODY;
        }
        pump();
    }

    /** Whether what is sent goes out soon; if not, {@link Owner#onReady} is told later. */
    boolean ready() {
        synchronized (out) {
            return waitingBytes < MOST_WAITING_BYTES;
        }
    }

    /** Sends a message; on any thread, in the order of the calls. */
    void send(MessageLite message) {
        int size = message.getSerializedSize();
        synchronized (out) {
            ByteBuffer bytes = room(size + FrameBytes.HEADER_BYTES);
            FrameBytes.write(message, size, bytes);
            write(bytes.flip());
        }
    }

    private ByteBuffer room(int bytes) {
        if (bytes > WRITE_BYTES) {
            return ByteBuffer.allocate(bytes);
        }
        ByteBuffer kept = scratch;
        if (kept == null) {
            kept = ByteBuffer.allocate(WRITE_BYTES);
            scratch = kept;
        }
        return kept.clear();
    }

    /** Sends what comes ahead of all messages. */
    void sendPreface() {
        synchronized (out) {
            write(ByteBuffer.wrap(PREFACE));
        }
    }

    private void write(ByteBuffer bytes) {
        ChannelHandlerContext ctx = context;
        if (ctx == null || finishing) {
            return;
        }
        saidNanos = System.nanoTime();
        SocketChannel socket = direct;
        if (socket != null && waitingBytes == 0) {
            try {
                socket.write(bytes);
            } catch (IOException e) {
                endReason = "the connection broke (" + e.getMessage() + ")";
                var _ = ctx.close();
                return;
            }
        }
        if (bytes.hasRemaining()) {
            int rest = bytes.remaining();
            waitingBytes += rest;
            var _ = ctx.writeAndFlush(Unpooled.copiedBuffer(bytes)).addListener(_ -> written(rest));
        }
    }

    private void written(int bytes) {
        synchronized (out) {
            waitingBytes -= bytes;
        }
        Owner to = owner;
        if (to != null) {
            to.onReady();
        }
    }

    /** Ends the link in order: what was sent still arrives. */
    ChannelFuture finish() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            throw new IllegalStateException("a link that was never connected cannot finish");
        }
        synchronized (out) {
            finishing = true;
        }
        synchronized (this) {
            ended = true;
            reading = Reading.NOBODY;
        }
        ctx.executor().execute(() -> shutDown(ctx));
        return ctx.channel().closeFuture();
    }

    /**
     * What is still read is dropped: closing with bytes unread would destroy those on their way.
     */
    private void shutDown(ChannelHandlerContext ctx) {
        var _ =
                ctx.writeAndFlush(Unpooled.EMPTY_BUFFER)
                        .addListener(
                                (ChannelFutureListener)
                                        done -> {
                                            if (done.channel() instanceof RingSocket socket
                                                    && socket.isActive()) {
                                                var _ = socket.shutdownOutput();
                                            }
                                        });
        ctx.channel().config().setAutoRead(true);
        var _ =
                ctx.executor()
                        .schedule(this::abort, RingOptions.CLOSE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Ends the link at once. */
    void abort() {
        ChannelHandlerContext ctx = context;
        if (ctx != null) {
            var _ = ctx.close();
        }
    }

    /** Says that we live, and looks whether the peer does. */
    private void beat() {
        long now = System.nanoTime();
        if (now - saidNanos > TimeUnit.MILLISECONDS.toNanos(options.keepAliveMillis() / 2)) {
            synchronized (out) {
                write(ByteBuffer.allocate(FrameBytes.HEADER_BYTES));
            }
        }
        long most = (long) options.keepAliveMillis() + options.keepAliveTimeoutMillis();
        boolean silent;
        synchronized (this) {
            silent =
                    reading == Reading.NETWORK
                            && now - heardNanos > TimeUnit.MILLISECONDS.toNanos(most);
            boolean forgotten =
                    now - heardNanos > TimeUnit.MILLISECONDS.toNanos(options.keepAliveMillis());
            if (reading == Reading.LENT && forgotten) {
                toNetwork();
            }
        }
        if (silent) {
            endReason = "it has been silent for %d ms".formatted(most);
            abort();
        }
    }

    /** Whatever stands behind this in the pipeline has no say any more. */
    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        ReferenceCountUtil.release(message);
        var _ = promise.setFailure(new IllegalStateException("the connection is a link"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        endReason = "the connection broke (" + cause.getMessage() + ")";
        var _ = ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        synchronized (this) {
            ended = true;
            if (borrower != null) {
                borrower = null;
                lent.remove(this);
            }
        }
        if (beats != null) {
            beats.cancel(false);
        }
        Owner to = owner;
        if (to != null) {
            to.onEnd(endReason);
        }
    }
}
