using System.Runtime.InteropServices;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class CheckpointOutputTests
{
    private static readonly OutputOptions Resume = new(ShardBytes: 16, Resume: true), Fresh = new(ShardBytes: 16), Overwrite = new(ShardBytes: 16, Overwrite: true);

    public static TheoryData<string> Targets => ["out", "out.safetensors", "out.npz"];

    [Theory, MemberData(nameof(Targets))]
    public void A_run_that_was_killed_leaves_what_another_goes_on_with(string target)
    {
        using TemporaryFolder folder = new();
        Kill(folder[target], "a", "b\nline \U0001F600");

        using (CheckpointOutput output = Begin(folder[target], Resume))
        {
            Assert.Equal([true, true, false], Names.Select(output.IsDone));
            Write(output, "c");
            output.Commit();
        }

        AssertComplete(folder, target);
    }

    [Theory]
    [InlineData("")]
    [InlineData("amal")]
    [InlineData("amalgam \"te")]
    public void A_journal_that_was_cut_in_its_first_line_is_begun_afresh(string journal)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["out.partial"]);
        File.WriteAllText(folder["out.partial/journal"], journal);

        Make(folder["out"], Resume);

        AssertComplete(folder, "out");
    }

    [Theory]
    [InlineData("\"a", false)]
    [InlineData("\"a\"\n\"b\\nli", true)]
    [InlineData("\"a\"\n\"b\\nline \\uD83D\\uDE00\"", true)]
    public void A_journal_that_was_cut_later_counts_to_its_last_whole_line(string lines, bool hasA)
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"]);
        File.AppendAllText(folder["out.partial/journal"], lines);

        using CheckpointOutput output = Begin(folder["out"], Resume);
        Assert.Equal([hasA, false, false], Names.Select(output.IsDone));
        output.MarkDone("c");

        File.Move(folder["out.partial/journal"], folder["seen"]);
        output.Dispose();
        Assert.Equal(hasA ? ["\"a\"", "\"c\""] : ["\"c\""], File.ReadAllLines(folder["seen"]).Skip(1));
    }

    [Fact]
    public void A_journal_that_is_damaged_is_refused()
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"], "a");
        File.AppendAllText(folder["out.partial/journal"], "\u00e9\n");

        var refusal = Assert.Throws<IOException>(() => Begin(folder["out"], Resume));

        Assert.Contains("run without --resume to start afresh", refusal.Message, StringComparison.Ordinal);
        Make(folder["out"], Fresh);
        AssertComplete(folder, "out");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_shard_of_the_wrong_size_is_made_again(int change)
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"], "a", "b\nline \U0001F600");
        string shard = Directory.GetFiles(folder["out.partial/output"]).Order().First();
        if (change == 0) File.Delete(shard);
        else using (FileStream file = File.OpenWrite(shard)) file.SetLength(file.Length + change);

        using (CheckpointOutput output = Begin(folder["out"], Resume))
        {
            Assert.Equal([false, true, false], Names.Select(output.IsDone));
            Write(output, "a");
            Write(output, "c");
            output.Commit();
        }

        AssertComplete(folder, "out");
    }

    [Theory]
    [InlineData("out.partial/photo.jpg")]
    [InlineData("out.partial/journal")]
    [InlineData("out.partial")]
    public void What_is_not_ours_is_left_alone(string file)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
        File.WriteAllText(folder[file], "Dear diary,\n");

        foreach (OutputOptions options in (OutputOptions[])[Fresh, Overwrite, Resume])
        {
            var refusal = Assert.Throws<IOException>(() => Begin(folder["out"], options));
            Assert.Contains("is in the way: it was not left by an interrupted run", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Equal("Dear diary,\n", File.ReadAllText(folder[file]));
    }

    [Fact]
    public void A_second_run_to_the_same_place_is_refused_and_harms_nothing()
    {
        using TemporaryFolder folder = new();
        using (CheckpointOutput first = Begin(folder["out"], Fresh))
        {
            foreach (OutputOptions options in (OutputOptions[])[Fresh, Overwrite, Resume])
            {
                var refusal = Assert.Throws<IOException>(() => Begin(folder["out"], options));
                Assert.Equal($"{folder["out"]} is being written by another run of amalgam; wait until it has ended, or name another output", refusal.Message);
            }

            foreach (string name in Names) Write(first, name);
            first.Commit();
        }

        AssertComplete(folder, "out");
    }

    [Theory, MemberData(nameof(Targets))]
    public void A_run_that_was_killed_after_the_renaming_is_finished_by_the_next(string target)
    {
        using TemporaryFolder folder = new();
        Make(folder[target], Fresh);
        Directory.CreateDirectory(folder[target + ".partial/output"]);
        if (target == "out") Directory.Delete(folder[target + ".partial/output"]);
        File.WriteAllText(folder[target + ".partial/journal"], "amalgam \"test\"\n\"a\"\ncomplete\n");

        Assert.Throws<IOException>(() => Begin(folder[target], Fresh));
        using (CheckpointOutput output = Begin(folder[target], Resume)) Assert.True(output.IsCommitted);

        AssertComplete(folder, target);
    }

    [Fact]
    public void An_old_output_that_was_put_aside_comes_back()
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"], Names);
        Make(folder["old"], Fresh);
        Directory.Move(folder["old"], folder["out.partial/replaced"]);
        File.AppendAllText(folder["out.partial/journal"], "complete\n");

        using (CheckpointOutput output = Begin(folder["out"], Overwrite)) Assert.True(Directory.Exists(folder["out"]));

        AssertComplete(folder, "out");
    }

    [Fact]
    public void A_run_that_was_killed_between_two_renamings_is_finished_by_the_next()
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"], Names);
        Make(folder["old"], Fresh);
        Directory.Move(folder["old"], folder["out.partial/replaced"]);
        File.AppendAllText(folder["out.partial/journal"], "complete\n");

        using (CheckpointOutput output = Begin(folder["out"], Resume))
        {
            Assert.Equal([true, true, true], Names.Select(output.IsDone));
            output.Commit();
        }

        AssertComplete(folder, "out");
    }

    [Theory, MemberData(nameof(Targets))]
    public void Without_a_commit_nothing_is_left(string target)
    {
        using TemporaryFolder folder = new();
        using (CheckpointOutput output = Begin(folder[target], Fresh)) Write(output, "a");

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory, MemberData(nameof(Targets))]
    public void A_separator_at_the_end_does_not_matter(string target)
    {
        using TemporaryFolder folder = new();

        Make(folder[target] + Path.DirectorySeparatorChar, Fresh);
        AssertComplete(folder, target);

        Make(folder[target] + Path.DirectorySeparatorChar, Overwrite);
        AssertComplete(folder, target);
    }

    [Fact]
    public void A_copy_of_a_read_only_file_can_be_made_again()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["config.json"], "{}");
        File.SetAttributes(folder["config.json"], FileAttributes.ReadOnly);
        using (CheckpointOutput output = Begin(folder["out"], Fresh))
        {
            output.AddCopy(folder["config.json"]);
            output.AddCopy(folder["config.json"]);
            foreach (string name in Names) Write(output, name);
            output.Commit();
        }

        Assert.Equal("{}", File.ReadAllText(folder["out/config.json"]));
        Assert.False(File.GetAttributes(folder["out/config.json"]).HasFlag(FileAttributes.ReadOnly));
        File.SetAttributes(folder["config.json"], FileAttributes.Normal);
    }

    [Theory]
    [InlineData("file/out")]
    [InlineData("file/deep/er/out.safetensors")]
    public void A_path_below_a_file_is_refused(string target)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");

        var refusal = Assert.Throws<IOException>(() => Begin(folder[target], Fresh));

        Assert.Equal($"{folder["file"]} is a file, so {folder[target]} cannot be written", refusal.Message);
    }

    [Theory]
    [InlineData("out.npz", "w", "'w' BF16[4] cannot be stored, as numpy has no BF16; choose another type with --dtype, such as float32")]
    [InlineData("out.pt", "w", "'w' F8_E8M0[4] cannot be stored, as PyTorch files hold no F8_E8M0 of this kind; choose another type with --dtype, or write safetensors")]
    [InlineData("out.safetensors", "__metadata__", "no tensor may have the name of '__metadata__' BF16[4], it is the format's own")]
    public void What_a_format_cannot_store_is_refused(string target, string name, string why)
    {
        using TemporaryFolder folder = new();
        TensorSpec spec = new(name, target == "out.pt" ? DType.F8E8M0 : DType.BF16, new(4));

        var refusal = Assert.Throws<InvalidDataException>(() => CheckpointOutput.Create(folder[target], [spec], new Dictionary<string, string>(), Fresh, "test"));

        Assert.Equal($"{folder[target]} cannot be written: {why}", refusal.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Another_run_is_not_gone_on_with()
    {
        using TemporaryFolder folder = new();
        Kill(folder["out"], "a");

        var refusal = Assert.Throws<IOException>(() => CheckpointOutput.Create(folder["out"], Specs, new Dictionary<string, string>(), Resume, "other"));

        Assert.Contains("was left by a run with other inputs", refusal.Message, StringComparison.Ordinal);
        using CheckpointOutput output = Begin(folder["out"], Resume);
        Assert.True(output.IsDone("a"));
    }

    private static string[] Names => ["a", "b\nline \U0001F600", "c"];

    private static TensorSpec[] Specs => [.. Names.Select(n => new TensorSpec(n, DType.F32, new(4)))];

    private static CheckpointOutput Begin(string path, OutputOptions options) => CheckpointOutput.Create(path, Specs, new Dictionary<string, string>(), options, "test");

    private static void Write(CheckpointOutput output, string name)
    {
        output.Write(name, 0, MemoryMarshal.AsBytes<float>([name[0], 2, 3, 4]));
        output.MarkDone(name);
    }

    private static void Make(string path, OutputOptions options)
    {
        using CheckpointOutput output = Begin(path, options);
        foreach (string name in Names) Write(output, name);
        output.Commit();
    }

    /// <summary>Leaves what a run leaves that is killed when these tensors are done.</summary>
    private static void Kill(string path, params string[] done)
    {
        using CheckpointOutput output = Begin(path, Fresh);
        foreach (string name in done) Write(output, name);
        string work = path + ".partial", kept = path + ".kept";
        Directory.CreateDirectory(Path.Combine(kept, "output"));
        foreach (string file in Directory.GetFiles(work, "*", SearchOption.AllDirectories)) CopyShared(file, Path.Combine(kept, Path.GetRelativePath(work, file)));
        output.Dispose();
        Directory.Move(kept, work);
    }

    private static void CopyShared(string file, string copy)
    {
        if (Path.GetFileName(file) != "journal")
        {
            File.Copy(file, copy);
            return;
        }

        // The lock on the journal is for other openers, not for renaming.
        File.Move(file, copy);
        File.WriteAllText(file, "");
    }

    private static void AssertComplete(TemporaryFolder folder, string target)
    {
        Assert.Equal([folder[target]], Directory.EnumerateFileSystemEntries(folder.Path));
        using Checkpoint read = Checkpoint.Open(folder[target]);
        Assert.Equal(Names, read.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (TensorEntry tensor in read.Tensors) Assert.Equal([tensor.Name[0], 2, 3, 4], TestModel.Values(tensor));
    }
}
