package coop.sahkar.coordinator.crash;

import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
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
import java.util.Locale;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/** Has the JDK's classes call {@link FileSteps} before each change they make to files. */
public final class FileStepsAgent {
    private static final ClassDesc STEPS = ClassDesc.of(FileSteps.class.getName());
    private static final ClassDesc OUTPUT_STREAM = ClassDesc.of(FileOutputStream.class.getName());

    /** Where files are changed: class, method, and which of {@link FileSteps} is called for it. */
    private static final Map<String, Map<String, Call>> CHANGES =
            Map.of(
                    "sun/nio/fs/UnixNativeDispatcher",
                    Map.of(
                            "open", Call.OPEN,
                            "mkdir", Call.GROW,
                            "rename", Call.STEP,
                            "unlink", Call.STEP,
                            "rmdir", Call.STEP,
                            "unlinkat", Call.STEP,
                            "renameat", Call.STEP),
                    "java/io/UnixFileSystem",
                    Map.of(
                            "createFileExclusively", Call.GROW,
                            "delete", Call.STEP,
                            "createDirectory", Call.STEP,
                            "rename", Call.STEP),
                    "java/io/FileOutputStream",
                    Map.of("open", Call.STREAM, "write", Call.OUTPUT),
                    "java/io/RandomAccessFile",
                    Map.of("open", Call.RANDOM, "write", Call.GROW, "setLength", Call.GROW),
                    "sun/nio/ch/FileChannelImpl",
                    Map.of(
                            "write", Call.GROW,
                            "truncate", Call.STEP,
                            "force", Call.STEP,
                            "transferFrom", Call.GROW));

    /** How a change is told. */
    private enum Call {
        STEP,
        GROW,
        STREAM,
        OPEN,
        RANDOM,
        OUTPUT;

        private ClassDesc argument() {
            return switch (this) {
                case STEP, GROW, STREAM -> ConstantDescs.CD_String;
                case OPEN, RANDOM -> ConstantDescs.CD_int;
                case OUTPUT -> OUTPUT_STREAM;
            };
        }

        void before(String method, CodeBuilder code) {
            switch (this) {
                case STEP, GROW, STREAM -> code.ldc(method);
                case OPEN -> code.iload(1); // its flags
                case RANDOM -> code.iload(2); // its mode
                case OUTPUT -> code.aload(0); // the stream itself
            }
            MethodTypeDesc takes = MethodTypeDesc.of(ConstantDescs.CD_void, argument());
            code.invokestatic(STEPS, name().toLowerCase(Locale.ROOT), takes);
        }
    }

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
            Map<String, Call> methods = CHANGES.get(name);
            return methods == null ? null : woven(methods, bytes);
        }
    }

    private static byte[] woven(Map<String, Call> methods, byte[] bytes) {
        ClassFile classes = ClassFile.of();
        ClassTransform all = ClassTransform.ACCEPT_ALL;
        for (Map.Entry<String, Call> change : methods.entrySet()) {
            String method = change.getKey();
            all =
                    all.andThen(
                            ClassTransform.transformingMethodBodies(
                                    of -> called(of, method), before(method, change.getValue())));
        }
        return classes.transformClass(classes.parse(bytes), all);
    }

    private static boolean called(MethodModel method, String name) {
        return method.methodName().equalsString(name) && method.code().isPresent();
    }

    private static CodeTransform before(String method, Call call) {
        return CodeTransform.ofStateful(() ->
                new CodeTransform() {
                    @Override
                    public void atStart(CodeBuilder code) {
                        call.before(method, code);
                    }

                    @Override
                    public void accept(CodeBuilder code, CodeElement element) {
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
        write(agent, manifest, FileStepsAgent.class, Weaver.class, Call.class);
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
