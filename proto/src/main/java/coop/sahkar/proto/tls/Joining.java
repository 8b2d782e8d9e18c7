package coop.sahkar.proto.tls;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import coop.sahkar.proto.v1.CertificateReply;
import coop.sahkar.proto.v1.CertificateRequest;
import coop.sahkar.proto.v1.CertificateWish;
import coop.sahkar.proto.v1.IdentityGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;

/** Asks coordinators for certificates, one after the other until one has a word to say. */
public final class Joining {
    private static final long ANSWER_MILLIS = 15_000;
    private static final int MAX_ANSWER_BYTES = 64 * 1024;

    /** How often each is asked: one that is busy hangs up on slow handshakes. */
    private static final int ROUNDS = 3;

    /**
     * Between rounds, and as much again by chance, so that many who began at once do not go on so.
     */
    private static final int PAUSE_MILLIS = 500;

    private final NodeFolder folder;
    private final LongSupplier unixMillis;

    /**
     * @param folder where the node's key is, and its certificate is kept
     */
    public Joining(NodeFolder folder, LongSupplier unixMillis) {
        this.folder = folder;
        this.unixMillis = unixMillis;
    }

    /**
     * Joins with a token and keeps the certificate.
     *
     * @param id the node's, unique among those of its role
     * @param hosts names it is reached under; coordinators only
     * @throws IdentityException in a sentence, if no coordinator lets it in
     */
    public Credentials join(JoinToken token, String id, List<String> hosts)
            throws IdentityException {
        SslContext pinned = pinned(token);
        return ask(
                token.coordinators(),
                at -> NettyChannelBuilder.forTarget(at).sslContext(pinned),
                token.role(),
                id,
                hosts,
                token.secret());
    }

    /**
     * Has a certificate renewed and keeps the new one.
     *
     * @param coordinators where they are reached
     * @throws IdentityException in a sentence, if no coordinator does
     */
    public Credentials renew(Credentials old, List<String> coordinators, List<String> hosts)
            throws IdentityException {
        JoinToken pin = JoinToken.of(coordinators, old.authority(), new byte[0], old.name().role());
        SslContext pinned = pinned(pin);
        return ask(
                coordinators,
                at -> NettyChannelBuilder.forTarget(at).sslContext(pinned),
                old.name().role(),
                old.name().id(),
                hosts,
                new byte[0]);
    }

    private SslContext pinned(JoinToken token) throws IdentityException {
        try {
            return GrpcSslContexts.configure(
                            SslContextBuilder.forClient()
                                    .trustManager(new PinnedTrust(token.fingerprint(), unixMillis))
                                    .protocols(NodeTls.PROTOCOL),
                            SslProvider.JDK)
                    .build();
        } catch (SSLException e) {
            throw new IdentityException("this Java does not speak " + NodeTls.PROTOCOL, e);
        }
    }

    private Credentials ask(
            List<String> coordinators,
            Function<String, NettyChannelBuilder> way,
            Role role,
            String id,
            List<String> hosts,
            byte[] secret)
            throws IdentityException {
        NodeKey nodeKey = folder.key();
        try {
            KeyPair tlsKey = Credentials.newKey();
            MessageLite wish =
                    CertificateWish.newBuilder()
                            .setRole(role.toWire())
                            .setId(id)
                            .setNodeKey(ByteString.copyFrom(nodeKey.open()))
                            .setTlsKey(ByteString.copyFrom(tlsKey.getPublic().getEncoded()))
                            .addAllHosts(hosts)
                            .build();
            CertificateRequest request =
                    CertificateRequest.newBuilder()
                            .setWish(wish.toByteString())
                            .setSignature(ByteString.copyFrom(nodeKey.sign(wish.toByteArray())))
                            .setSecret(ByteString.copyFrom(secret))
                            .build();
            CertificateReply reply = askOneByOne(coordinators, way, request);
            Credentials credentials = read(reply, tlsKey);
            if (credentials.name().role() != role || !credentials.name().id().equals(id)) {
                throw new IdentityException("the coordinator made a certificate for another node");
            }
            folder.keep(credentials, reply.getCoordinatorsList());
            return credentials;
        } catch (GeneralSecurityException e) {
            throw new IdentityException(
                    "the coordinator's answer cannot be used: " + e.getMessage(), e);
        }
    }

    private static Credentials read(CertificateReply reply, KeyPair tlsKey)
            throws GeneralSecurityException {
        if (reply.getCertificatesCount() != 2) {
            throw new GeneralSecurityException("it does not hold two certificates");
        }
        X509Certificate own = Pem.certificate(reply.getCertificates(0).toByteArray());
        X509Certificate authority = Pem.certificate(reply.getCertificates(1).toByteArray());
        if (!own.getPublicKey().equals(tlsKey.getPublic())) {
            throw new GeneralSecurityException("the certificate is for another key");
        }
        return Credentials.of(tlsKey.getPrivate(), own, authority);
    }

    private static CertificateReply askOneByOne(
            List<String> coordinators,
            Function<String, NettyChannelBuilder> way,
            CertificateRequest request)
            throws IdentityException {
        String last = "no coordinator is known";
        List<String> asked =
                Collections.nCopies(ROUNDS, coordinators).stream().flatMap(List::stream).toList();
        for (int i = 0; i < asked.size(); i++) {
            if (i > 0 && i % coordinators.size() == 0) {
                pause();
            }
            String at = asked.get(i);
            ManagedChannel channel =
                    way.apply(at)
                            .proxyDetector(_ -> null)
                            .maxInboundMessageSize(MAX_ANSWER_BYTES)
                            .disableRetry()
                            .build();
            try {
                IdentityGrpc.IdentityBlockingStub stub =
                        IdentityGrpc.newBlockingStub(channel)
                                .withDeadlineAfter(ANSWER_MILLIS, TimeUnit.MILLISECONDS);
                return request.getSecret().isEmpty() ? stub.renew(request) : stub.join(request);
            } catch (StatusRuntimeException e) {
                last = at + ": " + sentence(e.getStatus());
                if (isFinal(e.getStatus())) {
                    throw new IdentityException(last, e);
                }
            } finally {
                channel.shutdownNow();
            }
        }
        throw new IdentityException("no coordinator gives a certificate: " + last);
    }

    private static void pause() {
        long millis = PAUSE_MILLIS + ThreadLocalRandom.current().nextLong(PAUSE_MILLIS);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private static boolean isFinal(Status status) {
        return switch (status.getCode()) {
            case INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, ALREADY_EXISTS -> true;
            case OK,
                    CANCELLED,
                    UNKNOWN,
                    DEADLINE_EXCEEDED,
                    NOT_FOUND,
                    RESOURCE_EXHAUSTED,
                    FAILED_PRECONDITION,
                    ABORTED,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    INTERNAL,
                    UNAVAILABLE,
                    DATA_LOSS ->
                    false;
        };
    }

    private static String sentence(Status status) {
        Throwable root = status.getCause();
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        String description = status.getDescription();
        String said = description == null ? status.getCode().toString() : description;
        return root == null || root.getMessage() == null ? said : root.getMessage();
    }
}
