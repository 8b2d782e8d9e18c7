package coop.sahkar.worker.store;

import coop.sahkar.proto.tls.Transport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * How a model is published.
 *
 * @param name what it shall be called; empty: made of the file's name
 * @param coordinators where the pool is reached, host:port each; one that answers is enough
 * @param minStages cut it into at least so many spans; 0: as few as fit
 * @param sources further places where the same file can be had by byte range
 * @param serve whether this process serves the file to workers
 * @param bind where it listens for them; port 0 picks one
 * @param advertisedHost host that workers reach this process under
 * @param threads threads that digest the file
 * @param transport how coordinators are told, and workers served
 */
public record PublishOptions(
        String name,
        List<String> coordinators,
        int minStages,
        List<String> sources,
        boolean serve,
        InetSocketAddress bind,
        String advertisedHost,
        int threads,
        Transport transport) {
    public PublishOptions {
        coordinators = List.copyOf(coordinators);
        sources = List.copyOf(sources);
    }

    /** Serves on loopback, named after the file, cut as the pool likes. */
    public static PublishOptions local(List<String> coordinators) {
        return new PublishOptions(
                "",
                coordinators,
                0,
                List.of(),
                true,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                "127.0.0.1",
                Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
                Transport.OPEN);
    }

    public PublishOptions withName(String newName) {
        return new PublishOptions(
                newName,
                coordinators,
                minStages,
                sources,
                serve,
                bind,
                advertisedHost,
                threads,
                transport);
    }

    public PublishOptions withMinStages(int newMinStages) {
        return new PublishOptions(
                name,
                coordinators,
                newMinStages,
                sources,
                serve,
                bind,
                advertisedHost,
                threads,
                transport);
    }

    /** With other places to fetch from; {@code alsoServe} says whether this process is one too. */
    public PublishOptions withSources(List<String> newSources, boolean alsoServe) {
        return new PublishOptions(
                name,
                coordinators,
                minStages,
                newSources,
                alsoServe,
                bind,
                advertisedHost,
                threads,
                transport);
    }

    /** Listening elsewhere than on loopback. */
    public PublishOptions withBind(InetSocketAddress newBind, String newAdvertisedHost) {
        return new PublishOptions(
                name,
                coordinators,
                minStages,
                sources,
                serve,
                newBind,
                newAdvertisedHost,
                threads,
                transport);
    }

    /** Telling coordinators and serving workers otherwise. */
    public PublishOptions with(Transport other) {
        return new PublishOptions(
                name,
                coordinators,
                minStages,
                sources,
                serve,
                bind,
                advertisedHost,
                threads,
                other);
    }
}
