package coop.sahkar.coordinator.crash;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/** Has the JDK's classes call {@link FileSteps} before each change they make to files. */
public final class FileStepsAgent {
    private static final String DISPATCHER = "sun/nio/fs/UnixNativeDispatcher";
    private static final ClassDesc STEPS = ClassDesc.of(FileSteps.class.getName());
    private static final MethodTypeDesc OF_TEXT =
            MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String);
    private static final MethodTypeDesc OF_FLAGS =
            MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

    /** Where files are changed, by class. */
    private static final Map<String, Set<String>> CHANGES =
            Map.of(
                    DISPATCHER,
                    Set.of("open", "rename", "unlink", "mkdir", "rmdir", "unlinkat", "renameat"),
                    "java/io/UnixFileSystem",
                    Set.of("createFileExclusively", "delete", "createDirectory", "rename"),
                    "java/io/FileOutputStream",
                    Set.of("open", "write"),
                    "java/io/RandomAccessFile",
                    Set.of("open", "write", "setLength"),
                    "sun/nio/ch/FileChannelImpl",
                    Set.of("write", "truncate", "force", "transferFrom"));

    private FileStepsAgent() {}

    public static void premain(String arguments, Instrumentation jvm)
            throws UnmodifiableClassException, ClassNotFoundException {
        jvm.addTransformer(new Weaver(), true);
        List<Class<?>> changed = new ArrayList<>();
        for (String name : CHANGES.keySet()) {
            changed.add(Class.forName(name.replace('/', '.'), false, null));
        }
        jvm.retransformClasses(changed.toArray(Class[]::new));
    }

    private static final class Weaver implements ClassFileTransformer {
        @Override
        public byte @Nullable [] transform(
                @Nullable ClassLoader loader,
                String name,
                @Nullable Class<?> redefined,
                @Nullable ProtectionDomain domain,
                byte[] bytes) {
            Set<String> methods = CHANGES.get(name);
            return methods == null ? null : woven(name, methods, bytes);
        }
    }

    private static byte[] woven(String name, Set<String> methods, byte[] bytes) {
        ClassFile classes = ClassFile.of();
        ClassTransform all = ClassTransform.ACCEPT_ALL;
        for (String method : methods) {
            boolean flags = name.equals(DISPATCHER) && method.equals("open");
            all =
                    all.andThen(
                            ClassTransform.transformingMethodBodies(
                                    of -> called(of, method), before(method, flags)));
        }
        return classes.transformClass(classes.parse(bytes), all);
    }

    private static boolean called(MethodModel method, String name) {
        return method.methodName().equalsString(name) && method.code().isPresent();
    }

    private static CodeTransform before(String method, boolean flags) {
        return CodeTransform.ofStateful(() ->
                new CodeTransform() {
                    @Override
                    public void atStart(java.lang.classfile.CodeBuilder code) {
                        if (flags) {
                            code.iload(1).invokestatic(STEPS, "open", OF_FLAGS);
                        } else {
                            code.ldc(method).invokestatic(STEPS, "step", OF_TEXT);
                        }
                    }

                    @Override
                    public void accept(
                            java.lang.classfile.CodeBuilder code,
                            java.lang.classfile.CodeElement element) {
                        code.with(element);
                    }
                });
    }

    /** Writes the agent's jar. */
    static Path jar(Path folder) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Premain-Class", FileStepsAgent.class.getName());
        main.putValue("Can-Retransform-Classes", "true");
        main.putValue("Boot-Class-Path", "steps.jar");
        Path steps = folder.resolve("steps.jar");
        Manifest plain = new Manifest();
        plain.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        write(steps, plain, FileSteps.class);
        Path agent = folder.resolve("agent.jar");
        write(agent, manifest, FileStepsAgent.class, Weaver.class);
        return agent;
    }

    private static void write(Path jar, Manifest manifest, Class<?>... classes) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (Class<?> one : classes) {
                String name = one.getName().replace('.', '/') + ".class";
                out.putNextEntry(new JarEntry(name));
                try (var in = one.getResourceAsStream("/" + name)) {
                    if (in == null) {
                        throw new IOException(name + " is not there");
                    }
                    in.transferTo(out);
                }
                out.closeEntry();
            }
        }
    }
}
