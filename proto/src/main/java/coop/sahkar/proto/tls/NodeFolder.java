package coop.sahkar.proto.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;

/**
 * Where a node keeps who it is: {@code node-key}, its own; {@code credentials.pem}, its certificate
 * and the key of that; {@code ca.pem}, the co-operative's certificate, which is no secret; {@code
 * coordinators}, where they are reached; and, at coordinators that make members, {@code
 * authority.pem}. All of it readable by its owner only.
 */
public final class NodeFolder {
    /** What the folder is called in a node's data folder. */
    public static final String NAME = "tls";

    private static final String CREDENTIALS = "credentials.pem";
    private static final String AUTHORITY = "authority.pem";

    private final Path folder;

    private NodeFolder(Path folder) {
        this.folder = folder;
    }

    /** The folder within a node's data folder; nothing is made yet. */
    public static NodeFolder in(Path data) {
        return new NodeFolder(data.resolve(NAME));
    }

    /** Where it is. */
    public Path path() {
        return folder;
    }

    /** The co-operative's certificate as a file that others may have. */
    public Path publicCertificate() {
        return folder.resolve("ca.pem");
    }

    /**
     * Who the node is; empty when it has not joined a co-operative.
     *
     * @throws IdentityException if what is there cannot be read
     */
    public Optional<Credentials> credentials() throws IdentityException {
        Path file = folder.resolve(CREDENTIALS);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Credentials.read(file));
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, e);
        }
    }

    /** The node's own key, made if there is none. */
    public NodeKey key() throws IdentityException {
        Path file = folder.resolve("node-key");
        try {
            PrivateFiles.folder(folder);
            return NodeKey.open(file);
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, e);
        }
    }

    /** Keeps a certificate, in place of one that is there. */
    public void keep(Credentials credentials, List<String> coordinators) throws IdentityException {
        try {
            PrivateFiles.folder(folder);
            Files.writeString(publicCertificate(), Pem.write(credentials.authority()));
            if (!coordinators.isEmpty()) {
                Files.writeString(
                        folder.resolve("coordinators"), String.join("\n", coordinators) + "\n");
            }
            credentials.write(folder.resolve(CREDENTIALS));
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(folder, e);
        }
    }

    /** Where coordinators were reached when the certificate was made. */
    public List<String> coordinators() throws IdentityException {
        Path file = folder.resolve("coordinators");
        try {
            return Files.exists(file)
                    ? Files.readString(file).lines().filter(l -> !l.isBlank()).toList()
                    : List.of();
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }

    /** The co-operative's authority, if this node has its key. */
    public Optional<CertificateAuthority> authority(SecureRandom random) throws IdentityException {
        Path file = folder.resolve(AUTHORITY);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(CertificateAuthority.read(file, random));
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, e);
        }
    }

    /** Keeps a new authority's key; refuses to replace one. */
    public void keep(CertificateAuthority authority) throws IdentityException {
        Path file = folder.resolve(AUTHORITY);
        try {
            PrivateFiles.folder(folder);
            authority.write(file);
        } catch (IOException | GeneralSecurityException e) {
            throw unusable(file, e);
        }
    }

    private static IdentityException unusable(Path file, Exception e) {
        return new IdentityException("%s cannot be used (%s)".formatted(file, e.getMessage()), e);
    }
}
