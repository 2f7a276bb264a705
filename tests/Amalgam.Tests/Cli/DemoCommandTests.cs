using Amalgam.Cli;
using Amalgam.Zoo.Demo;

namespace Amalgam.Tests.Cli;

public class DemoCommandTests
{
    [Fact]
    public async Task Prints_the_same_table_every_time_and_fits_eighty_columns()
    {
        string first = await Output("demo"), second = await Output("demo", "--seed", "0");
        Assert.Equal(first, second);
        Assert.NotEqual(first, await Output("demo", "--seed", "1"));
        Assert.All(first.Split('\n').Where(line => !line.StartsWith("where amalgam is")), line => Assert.InRange(line.Length, 0, 80));
        Assert.All(DemoMerge.All, merge => Assert.Contains($"\n{merge.Label} ", first));
    }

    [Fact]
    public async Task The_one_liner_of_every_row_gives_the_file_of_its_recipe()
    {
        using TemporaryFolder folder = new();
        await Output("demo", "--keep", folder["work"]);
        foreach (DemoMerge merge in DemoMerge.All)
        {
            string target = folder[merge.FileName];
            await Output([
                "merge", "-m", merge.Label, folder["work/task-1"], folder["work/task-2"], folder["work/task-3"],
                .. merge.UsesBase ? (string[])["-b", folder["work/base"]] : [], "-o", target, "-q"]);
            Assert.Equal(File.ReadAllBytes(folder[$"work/merged/{merge.FileName}/model.safetensors"]), File.ReadAllBytes(Path.Combine(target, "model.safetensors")));
        }
    }

    [Fact]
    public async Task The_recipes_that_are_kept_work()
    {
        using TemporaryFolder folder = new();
        await Output("demo", "--keep", folder.Path);
        await Output("merge", folder["recipes/ties-0.5.yml"], folder["again"], "-q");
        Assert.Equal(File.ReadAllBytes(folder["merged/ties-0.5/model.safetensors"]), File.ReadAllBytes(folder["again/model.safetensors"]));
    }

    [Fact]
    public async Task Refuses_a_folder_that_holds_something()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["mine.txt"], "");
        StringWriter error = new();
        Assert.Equal(2, await Program.Run(["demo", "--keep", folder.Path], TextWriter.Null, error));
        Assert.Contains("is not empty", error.ToString());
        Assert.Equal(["mine.txt"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    private static async Task<string> Output(params string[] args)
    {
        StringWriter output = new(), error = new();
        Assert.True(await Program.Run(args, output, error) == 0, error.ToString());
        return output.ToString();
    }
}
